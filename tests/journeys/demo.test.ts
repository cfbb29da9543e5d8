import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startProgram } from "../support/program.ts";
import { eventually } from "../support/world.ts";

describe("npm run demo", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "dayletter-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("sends a whole edition, checks every email, and leaves nothing behind", async () => {
    const demo = startProgram(["demo"], { TMPDIR: folder });
    expect(await demo.exited, demo.output()).toBe(0);
    const told = demo.output();
    expect(told).toContain("Every reader got exactly the articles they follow.");
    expect(told).toContain("Balance: selected 5 = sent 5 + rejected 0 + expired 0 + skipped 0 + unknown 0");
    expect(told).toMatch(/skipper@readers\.example.*no new article has these tags/);
    expect(told).toMatch(/undecided@readers\.example.*not confirmed/);
    expect(told).toContain("7 added, 1 of them asked to confirm by email");
    expect(told).toContain("A second `dayletter edition send` was refused");
    expect(told).not.toContain("\u001b");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("--keep keeps the server running until Ctrl-C, and keeps the emails", async () => {
    const demo = startProgram(["demo", "--keep"], { TMPDIR: folder });
    const url = await eventually("it stays up", async () => /server is running at (\S+)/.exec(demo.output())?.[1]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const link = await eventually(
      "it names the operator's link",
      async () => /operator {2}(\S+)/.exec(demo.output())?.[1],
    );
    expect((await fetch(link)).status).toBe(200);
    expect(await demo.end("SIGINT")).toBe(0);
    const [kept] = readdirSync(folder);
    expect(readdirSync(join(folder, kept!, "mails"))).toHaveLength(6);
    expect(existsSync(join(folder, kept!, "data", "lock.json"))).toBe(false);
  });
});
