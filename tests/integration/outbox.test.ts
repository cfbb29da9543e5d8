import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createOutboxTransport } from "../../src/mail/outbox.ts";
import type { Mail } from "../../src/mail/transport.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dayletter-outbox-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const mail = (id: string, text = "Hello."): Mail => ({
  from: "alerts@example.org",
  to: "reader@example.com",
  message: Buffer.from(`Subject: 한국\r\nMessage-ID: <${id}>\r\n\r\n.${text}\r\n\r\n.\r\n`),
});

test("each mail is one file, byte for byte, and a mail sent again replaces itself", async () => {
  const dir = join(folder, "data", "outbox");
  const outbox = createOutboxTransport({ dir, connections: 4 });
  const ids = ["2013-12-06.b@example.org", "2013-12-05.a@example.org", "2013-12-06.b@example.org"];
  for (const [i, id] of ids.entries()) {
    expect(await outbox.send(mail(id, `${i}`))).toMatchObject({
      kind: "sent",
      reply: expect.stringContaining(`${id}.eml`),
    });
  }
  expect((await readdir(dir)).toSorted()).toEqual(["2013-12-05.a@example.org.eml", "2013-12-06.b@example.org.eml"]);
  expect(await readFile(join(dir, "2013-12-06.b@example.org.eml"))).toEqual(
    mail("2013-12-06.b@example.org", "2").message,
  );
});

test.each(["../../../etc/passwd@x", "a/b@x", "a\\b:c*@x", ".hidden@x", "x".repeat(400), "con\u0007trol@x"])(
  "a Message-ID such as %j stays in the folder",
  async (id) => {
    const dir = join(folder, "outbox");
    const outbox = createOutboxTransport({ dir, connections: 1 });
    await outbox.send(mail(id));
    await outbox.send(mail(id));
    await outbox.send(mail(`${id}!`));
    const names = await readdir(dir);
    expect(names).toHaveLength(2);
    for (const name of names) expect(name).toMatch(/^[\w@+-][\w.@+-]*\.eml$/);
    expect(await readdir(folder)).toEqual(["outbox"]);
  },
);

test("hundreds at once leave no half-written file", async () => {
  const outbox = createOutboxTransport({ dir: folder, connections: 8 });
  await Promise.all(Array.from({ length: 300 }, (_, i) => outbox.send(mail(`${i}@example.org`))));
  await outbox.close(1_000);
  expect(await readdir(folder)).toHaveLength(300);
  expect(await outbox.reserve(1)).toBe(0);
});

test("a folder that cannot be written defers the mail, and check says so", async () => {
  const file = join(folder, "file");
  await writeFile(file, "in the way");
  await chmod(file, 0o600);
  const outbox = createOutboxTransport({ dir: join(file, "outbox"), connections: 1 });
  expect(await outbox.send(mail("a@x"))).toMatchObject({
    kind: "deferred",
    scope: "relay",
    code: "outbox_not_written",
    data: { error: expect.stringContaining("ENOTDIR") },
  });
  expect(await outbox.check()).toMatchObject({ ok: false, refusal: { code: "outbox_not_writable" } });
});

test("an envelope that SMTP could not carry is refused here too", async () => {
  const outbox = createOutboxTransport({ dir: folder, connections: 1 });
  expect(await outbox.send({ ...mail("a@x"), to: "a b@example.com" })).toMatchObject({
    kind: "rejected",
    scope: "message",
  });
  expect(await readdir(folder)).toEqual([]);
});
