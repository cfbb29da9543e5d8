import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApp } from "../../src/app.ts";
import { silentLog } from "../../src/base/log.ts";
import { loadConfig } from "../../src/config/load.ts";
import { openDkimKeys } from "../../src/engines.ts";
import { dkimRecord } from "../../src/mail/dkim.ts";
import { sendNotices } from "../../src/notices/send.ts";
import { addNotice } from "../../src/subscribers/notices.ts";
import { startSink, type Sink } from "../support/sink.ts";

let folder: string;
let sink: Sink;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dayletter-dkim-"));
  sink = await startSink();
  const pem = (key: { export(form: { type: "pkcs8"; format: "pem" }): string | Buffer }): string =>
    String(key.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(join(folder, "r.pem"), pem(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey));
  writeFileSync(join(folder, "e.pem"), pem(generateKeyPairSync("ed25519").privateKey));
  env = {
    DATA_DIR: join(folder, "data"),
    SMTP_URL: sink.url,
    MAIL_FROM: "Telecom Daily <alerts@news.example.com>",
    ALERT_MAIL: "mina@example.org",
    DKIM_SELECTOR: "r1,e1",
    DKIM_KEY_FILE: `${join(folder, "r.pem")},${join(folder, "e.pem")}`,
    LOG_LEVEL: "silent",
  };
});
afterAll(async () => {
  await sink.close();
  rmSync(folder, { recursive: true, force: true });
});

test("every email that reaches the relay has valid signatures of all keys", async () => {
  const config = loadConfig(env);
  const records = new Map(
    openDkimKeys(config)
      .map(dkimRecord)
      .map(({ name, value }) => [name, value]),
  );
  const app = await openApp(config, { log: silentLog, command: "serve" });
  try {
    const payload = { event: "raised", kind: "test", data: {} };
    const alert = { kind: "alert", subscriberId: null, address: "mina@example.org", payload } as const;
    await addNotice(app.db, alert, app.clock.now());
    await sendNotices(app, new AbortController().signal);
    await sink.waitFor(1);
  } finally {
    await app.close();
  }
  for (const { raw } of sink.messages) {
    const { results } = await dkimVerify(raw, {
      resolver: async (name: string) => {
        const record = records.get(name);
        if (record === undefined) throw Object.assign(new Error("no record"), { code: "ENOTFOUND" });
        return [[record]];
      },
    });
    expect(results.map(({ status }) => status.result)).toEqual(["pass", "pass"]);
  }
});

test("a key that cannot be used stops the start, and no email is sent unsigned", async () => {
  const wrong = { ...env, DKIM_KEY_FILE: `${join(folder, "r.pem")},${join(folder, "none.pem")}` };
  await expect(openApp(loadConfig(wrong), { log: silentLog, command: "serve" })).rejects.toThrow(
    expect.objectContaining({ code: "dkim_file_unreadable" }),
  );
});

test.each([
  [{ DKIM_SELECTOR: "r1" }, "dkim_counts_differ"],
  [{ DKIM_SELECTOR: "" }, "dkim_selector_missing"],
  [{ DKIM_KEY_FILE: "" }, "dkim_key_file_missing"],
])("settings that do not fit together are refused: %o", (wrong, code) => {
  expect(() => loadConfig({ ...env, ...wrong })).toThrow(
    expect.objectContaining({ problems: [expect.objectContaining({ code })] }),
  );
});
