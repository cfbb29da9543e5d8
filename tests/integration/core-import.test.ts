import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { erase } from "../../src/subscribers/erase.ts";
import { importSubscribers, type ImportOptions } from "../../src/subscribers/import.ts";
import { readCsv, readNdjson } from "../../src/subscribers/import-rows.ts";
import { countByStatus, findByAddress } from "../../src/subscribers/store.ts";
import { unsubscribe } from "../../src/subscribers/leave.ts";
import { suppress } from "../../src/subscribers/suppressions.ts";
import { openWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const defaults: ImportOptions = { strict: false, dryRun: false, confirmed: true, createTags: true, actor: "test" };
const take = (text: string, options: Partial<ImportOptions> = {}, read: typeof readCsv = readCsv) =>
  importSubscribers(world.app, read(Readable.from([text])), { ...defaults, ...options });
const list = (count: number, tags: string) =>
  `email,tags\n${Array.from({ length: count }, (_, i) => `r${i}@example.org,${tags}`).join("\n")}\n`;

test("a long list is counted exactly, the second time as well, and strictness imports nothing", async () => {
  const wrong = "not-an-address,korea\nr7@example.org,korea\n";
  expect(await take(list(5_000, "korea|lg u+") + wrong, { strict: true })).toMatchObject({ imported: false });
  expect((await countByStatus(world.app.db)).active).toBe(0);
  const first = await take(list(5_000, "korea|lg u+") + wrong);
  expect(first).toMatchObject({ lines: 5_002, added: 5_000, updated: 0, unchanged: 0, imported: true });
  expect(first.refused.map(({ line }) => line)).toEqual([5_002, 5_003]);
  const { db } = world.app;
  await unsubscribe(db, (await findByAddress(db, "r1@example.org"))!.id, new Date());
  const gone = { addressKey: "r2@example.org", reason: "complained", detail: null, now: new Date() };
  await suppress(db, world.app.options.secret, gone);
  const again = await take(`${list(5_000, "korea")}new@example.org,5g\nr3@example.org,\n`);
  expect(again).toMatchObject({ added: 1, updated: 0, unchanged: 4_998 });
  expect(again.refused.map(({ line }) => line)).toEqual([3, 4, 5_003]);
  const more = await take("email,tags,all_tags\nr4@example.org,5g,\nr5@example.org,,true\nr6@example.org,korea,yes\n");
  expect(more).toMatchObject({ added: 0, updated: 3, unchanged: 0 });
  expect(await findByAddress(db, "r4@example.org")).toMatchObject({ tags: ["5g", "korea", "lg u+"] });
  expect(await findByAddress(db, "r6@example.org")).toMatchObject({ allTags: true });
  const consents = await db
    .selectFrom("consents")
    .select(({ fn }) => fn.countAll<number>().as("n"))
    .execute();
  expect(consents).toEqual([{ n: 5_001 }]);
});

test("what no text can hold is one wrong line and not the end of the import", async () => {
  const lines = [
    '{"email":"n1@example.org","all_tags":true,"consent":"a\\u0000b"}',
    '{"email":"n2@example.org","all_tags":true,"consent":"\\ud800"}',
  ];
  const report = await take(
    [...lines, '{"email":"n3@example.org","all_tags":true,"consent":"by post 😀"}'].join("\n"),
    {},
    readNdjson,
  );
  expect(report).toMatchObject({ added: 1, refused: [{ line: 1 }, { line: 2 }] });
});

test("who is said to agree in the future has not agreed, and their line is refused", async () => {
  const line = "email,tags,status,confirmed_at\nlater@example.org,korea,active,2199-01-01T00:00:00Z\n";
  expect(await take(line)).toMatchObject({
    added: 0,
    refused: [{ line: 2, reasons: [{ code: "consent_in_future" }] }],
  });
  const number = '{"email":"never@example.org","all_tags":true,"confirmed_at":8640000000000000}';
  expect(await take(number, {}, readNdjson)).toMatchObject({ added: 0, refused: [{ line: 1 }] });
});

test("a confirmed line confirms whoever was waiting, with what the line says and a record of it", async () => {
  const { db } = world.app;
  await take("email,tags,status\nwaits@example.org,asked for by somebody,pending\n");
  const line = "email,tags,status,confirmed_at,consent\nwaits@example.org,korea,active,2026-03-01T08:00:00Z,by post\n";
  expect(await take(line, { dryRun: true })).toMatchObject({ updated: 1 });
  expect(await findByAddress(db, "waits@example.org")).toMatchObject({ status: "pending" });
  expect(await take(line)).toMatchObject({ added: 0, updated: 1, unchanged: 0, refused: [] });
  const reader = (await findByAddress(db, "waits@example.org"))!;
  const confirmedAt = new Date("2026-03-01T08:00:00Z");
  expect(reader).toMatchObject({ status: "active", tags: ["korea"], confirmedAt });
  const consents = await db
    .selectFrom("consents")
    .select(["method", "wording", "tags", "confirmed_at"])
    .where("subscriber_id", "=", reader.id)
    .orderBy("id")
    .execute();
  expect(consents).toMatchObject([
    { confirmed_at: null },
    { method: "import", wording: "by post", tags: ["korea"], confirmed_at: confirmedAt },
  ]);
  expect(await take(line)).toMatchObject({ updated: 0, unchanged: 1 });
  expect(await take("email,tags,status\nwaits@example.org,5g,pending\n")).toMatchObject({ updated: 1 });
  expect(await findByAddress(db, "waits@example.org")).toMatchObject({ status: "active", tags: ["5g", "korea"] });
});

test("whoever was erased is not brought back by an old list, but by a consent that is newer", async () => {
  const { app } = world;
  const now = (): string => new Date().toISOString();
  const line = (confirmedAt: string): string =>
    `email,all_tags,status,confirmed_at\nwas-active@example.org,yes,active,${confirmedAt}\nhad-left@example.org,yes,active,${confirmedAt}\n`;
  const before = now();
  expect(await take(line(before))).toMatchObject({ added: 2 });
  const ids = await Promise.all(["was-active", "had-left"].map((name) => findByAddress(app.db, `${name}@example.org`)));
  await unsubscribe(app.db, ids[1]!.id, new Date());
  for (const reader of ids) await erase(app, reader!.id);
  for (const old of [before, ""]) {
    const { added, refused } = await take(line(old));
    expect([added, refused.map((one) => one.line)]).toEqual([0, [2, 3]]);
    const details = { address: "was-active@example.org", date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as unknown };
    expect(refused[0]!.reasons).toEqual([{ code: "address_erased", details }]);
  }
  const after = line(now());
  expect(await take(after.replaceAll(",active,", ",pending,"))).toMatchObject({ added: 0 });
  expect(await take(after, { dryRun: true })).toMatchObject({ added: 2 });
  expect(await take(after)).toMatchObject({ added: 2, refused: [] });
  expect(await take("email,all_tags\nhad-left@example.org,yes\n")).toMatchObject({ unchanged: 1, refused: [] });
});

test("of many refused lines the first 1,000 are named, and all are counted", async () => {
  const text = `email,tags\n${"a\n".repeat(1_500)}good@example.org,korea\n${"b\n".repeat(5_000)}good@example.org,korea\n`;
  for (const dryRun of [true, false]) {
    const report = await take(text, { dryRun });
    expect(report).toMatchObject({ lines: 6_502, added: 1, refusedCount: 6_501, imported: !dryRun });
    expect(report.refused.map(({ line }) => line)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 2));
  }
});

test("an address on two lines that are far apart is refused with the number of the first", async () => {
  const rows = Array.from({ length: 1_200 }, (_, i) => `far${i}@example.org,korea`);
  const { refused } = await take(["email,tags", ...rows, "far7@example.org,korea"].join("\n"));
  expect(refused).toEqual([
    {
      line: 1_202,
      reasons: [{ code: "import_address_repeated", details: expect.objectContaining({ first: 9 }) as unknown }],
    },
  ]);
});
