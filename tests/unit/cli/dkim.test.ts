import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkDkim } from "../../../src/cli/doctor/dns.ts";
import { createContext } from "../../../src/cli/context.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { openDkimKeys } from "../../../src/engines.ts";
import { dkimRecord } from "../../../src/mail/dkim.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "dayletter-dkim-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(args: string[], env: Record<string, string> = {}): Promise<string> {
  const lines: string[] = [];
  const terminal = {
    columns: null,
    command: "dayletter",
    out: (text: string) => lines.push(text),
    err: () => undefined,
  };
  const config = () => loadConfig({ DATA_DIR: folder, MAIL_FROM: "News <a@news.example.com>", ...env });
  const context = createContext(terminal as unknown as Terminal, config);
  await createProgram(context, () => undefined).parseAsync(args, { from: "user" });
  return lines.join("\n");
}

test.each(["rsa", "ed25519"])(
  "dkim create makes a private %s key whose record dkim show prints again",
  async (type) => {
    const printed = await run(["dkim", "create", "--selector", "dl2026", "--type", type]);
    const file = join(folder, "dkim", `dl2026.${type}.pem`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const pem = readFileSync(file, "utf8");
    const env = { DKIM_SELECTOR: "dl2026", DKIM_KEY_FILE: file };
    const shown = await run(["dkim", "show"], env);
    expect(shown).toMatch(/^dl2026\._domainkey\.news\.example\.com\. IN TXT \( "v=DKIM1; k=/);
    expect(printed).toContain(shown);
    // Neither prints nor replaces a key that exists.
    await expect(run(["dkim", "create", "--selector", "dl2026", "--type", type])).rejects.toThrow(file);
    expect(readFileSync(file, "utf8")).toBe(pem);
    expect(printed).not.toContain("PRIVATE");
  },
);

test("dkim show without a key says how to create one", async () => {
  await expect(run(["dkim", "show"])).rejects.toThrow("dkim create");
});

test("doctor compares the published record with the key", async () => {
  const env = { DKIM_SELECTOR: "dl2026", DKIM_KEY_FILE: join(folder, "dkim/dl2026.rsa.pem") };
  const keys = openDkimKeys(loadConfig({ DATA_DIR: folder, MAIL_FROM: "News <a@news.example.com>", ...env }));
  const { name, value } = dkimRecord(keys[0]!);
  const levelOf = async (answer: () => Promise<string[]>): Promise<string> => {
    const [check] = await checkDkim(keys, {
      txt: (asked) => (asked === name ? answer() : Promise.resolve([])),
      mx: async () => [],
      addresses: async () => [],
    });
    return check!.level;
  };
  const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
  expect(await levelOf(async () => [value])).toBe("ok");
  expect(await levelOf(async () => [value.replace(/p=.{20}/, "p=")])).toBe("fail");
  expect(await levelOf(failing("ENOTFOUND"))).toBe("fail");
  expect(await levelOf(failing("ETIMEOUT"))).toBe("warn");
});
