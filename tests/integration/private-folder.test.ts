import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog, type Log } from "../../src/base/log.ts";
import { createOutboxTransport } from "../../src/mail/outbox.ts";
import { keepPrivate } from "../../src/operators/data-folder.ts";
import { openWorld } from "../support/world.ts";

let dir: string;
let warnings: string[];
const log: Log = { ...silentLog, warn: (_fields, message) => void warnings.push(message) };

beforeEach(() => {
  warnings = [];
  dir = mkdtempSync(join(tmpdir(), "dayletter-private-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const mode = (...path: string[]): string => (statSync(join(dir, ...path)).mode & 0o7777).toString(8);

/** A data folder as somebody with a wide umask, or an earlier release, has made it. */
function makeWide(): void {
  for (const folder of ["outbox", "db"]) mkdirSync(join(dir, folder));
  const files = ["secret", "token", "setup", "settings.env", "logo.0123456789ab.png", "outbox/a@b.eml", "logo.png"];
  for (const file of files) writeFileSync(join(dir, file), "");
  for (const path of [...files, "outbox", "db", "."]) chmodSync(join(dir, path), 0o777);
}

test("a start takes the rights of others to the data folder, its files and the mails away", async () => {
  makeWide();
  await keepPrivate(dir, log, ["logo.png"]);
  expect([mode("."), mode("outbox"), mode("db")]).toEqual(["700", "700", "700"]);
  for (const file of [
    "secret",
    "token",
    "setup",
    "settings.env",
    "logo.0123456789ab.png",
    "logo.png",
    "outbox/a@b.eml",
  ])
    expect(mode(file), file).toBe("600");
  expect(warnings).toEqual([]);
});

test("a server that opens on a wide folder leaves nothing in it for others", async () => {
  mkdirSync(join(dir, "data", "outbox"), { recursive: true });
  for (const path of ["data", "data/outbox"]) chmodSync(join(dir, path), 0o755);
  const world = await openWorld({ dataDir: join(dir, "data") });
  try {
    const mail = { from: "a@example.com", to: "b@example.com", message: Buffer.from("Message-ID: <1@x>\r\n\r\nHi") };
    expect(await world.app.transport.send(mail)).toMatchObject({ kind: "sent" });
    expect([mode("data"), mode("data/outbox"), mode("data/outbox/1@x.eml")]).toEqual(["700", "700", "600"]);
    for (const file of ["setup", "token"]) expect(mode("data", file), file).toBe("600");
  } finally {
    await world.close();
  }
});

test("an outbox that a mail makes is private from the first", async () => {
  const outbox = createOutboxTransport({ dir: join(dir, "outbox"), connections: 1 });
  await outbox.send({
    from: "a@example.com",
    to: "b@example.com",
    message: Buffer.from("Message-ID: <1@x>\r\n\r\nHi"),
  });
  expect([mode("outbox"), mode("outbox/1@x.eml")]).toEqual(["700", "600"]);
});

test("a folder that holds files of others keeps its rights, and those who may write to it are reported", async () => {
  makeWide();
  writeFileSync(join(dir, "readers.csv"), "", { mode: 0o644 });
  await keepPrivate(dir, log, ["logo.png"]);
  expect([mode("."), mode("secret"), mode("outbox"), mode("readers.csv")]).toEqual(["777", "600", "700", "644"]);
  expect(warnings).toHaveLength(1);
  warnings = [];
  for (const own of [0o1777, 0o755]) {
    chmodSync(dir, own);
    await keepPrivate(dir, log, ["logo.png"]);
    expect([mode("."), warnings]).toEqual([own.toString(8), []]);
  }
});

test("a folder that is not there is no reason not to start", async () => {
  await keepPrivate(join(dir, "nothing"), log);
  expect(warnings).toEqual([]);
});
