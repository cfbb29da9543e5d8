import { expect, it } from "vitest";
import { answer } from "../../../src/cli/context.ts";
import { nameCommands, recordingTerminal } from "../../../src/cli/terminal.ts";

const command = "docker compose exec web dayletter";

it("replaces the command so that it works where it is read", () => {
  expect(nameCommands("See `dayletter sources list`, then `dayletter --help`.", command)).toBe(
    "See `docker compose exec web dayletter sources list`, then `docker compose exec web dayletter --help`.",
  );
  expect(nameCommands("The dayletter of `dayletter`.", command)).toBe("The dayletter of `dayletter`.");
  expect(nameCommands("`dayletter status`", "$& dayletter")).toBe("`$& dayletter status`");
});

it("does this in text output, but not in JSON", () => {
  const said = (json: boolean): string => {
    const terminal = { ...recordingTerminal(), command };
    answer(terminal, { json }, { text: "`dayletter status`" }, ({ text }) => text);
    return terminal.stdout().trim();
  };
  expect(said(false)).toBe("`docker compose exec web dayletter status`");
  expect(JSON.parse(said(true))).toEqual({ text: "`dayletter status`" });
});
