import type { Command } from "commander";
import { answer, withJson, type Context } from "./context.ts";

export function addRelay(program: Command, { terminal, client }: Context): void {
  const relay = program.command("relay").description("end a pause of the mail relay");

  withJson(
    relay
      .command("resume")
      .description(
        "end the pause of all workers after the relay failed or its quota was used up; sending starts again with one email",
      ),
  ).action(async (options: { json?: boolean }) => {
    const resumed = await client().request<{ changed: boolean }>("POST", "/relay/resume");
    answer(terminal, options, resumed, ({ changed }) =>
      changed
        ? "Sending through the relay starts again, one email at a time."
        : "Sending through the relay is not paused.",
    );
  });
}
