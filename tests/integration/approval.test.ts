import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { editHeld } from "../../src/editorial/edit-held.ts";
import { actOnEdition } from "../../src/editions/act.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { getEdition, listEditions } from "../../src/editions/store.ts";
import { recover } from "../../src/ops/recover.ts";
import { movedClock } from "../support/clock.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { readMail } from "../support/reading.ts";
import { openWorld, type World } from "../support/world.ts";

const date = "2026-11-24";
const clock = movedClock(`${date}T05:00:00Z`);
let world: World;

beforeAll(async () => {
  world = await openWorld({ clock, env: { APPROVAL_MINUTES: "45" } });
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(`${date}T05:00:00Z`);
  const { db } = world.app;
  await sql`truncate editions, articles, subscribers, sources, tags, audit, drafts cascade`.execute(db);
  await sql`update schedule set since = ${clock.now()}`.execute(db);
  await addAllNewsReaders(world.app, ["a@example.org", "b@example.org"]);
  await addArticle(world.app, "News");
});

type Approval = "off" | "hold" | "send";
const asked: string[] = [];
const look = (approval: Approval) =>
  recover({
    ...world.app,
    options: { ...world.app.options, approval },
    wake: async (name) => void asked.push(name),
  });
/** Today's edition, frozen at its hour and rendered. */
async function due(approval: Approval): Promise<number> {
  clock.set(`${date}T07:00:10Z`);
  await look(approval);
  const { id } = await getEdition(world.app.db, date);
  asked.splice(0);
  const { app } = world;
  await renderEdition({ ...app, options: { ...app.options, approval } }, id);
  return id;
}
const approve = () => actOnEdition(world.app, { date, number: 1, action: "approve", actor: "ada" });

test("without approval wanted, an edition goes out by itself", async () => {
  await due("off");
  expect(await getEdition(world.app.db, date)).toMatchObject({ state: "sending", approved_by: null, reason: null });
});

test("an edition waits for approval, goes out once it is given, and has its whole time then", async () => {
  await due("hold");
  const held = await getEdition(world.app.db, date);
  expect(held).toMatchObject({ state: "held", sending_at: null });
  expect(held.reason).toBe("It waits for approval until 07:45 (UTC), and stays held if none comes.");
  clock.set(`${date}T07:30:00Z`);
  const twice = [await approve(), await approve()];
  expect(twice.map(({ changed }) => changed)).toEqual([true, false]);
  expect(await getEdition(world.app.db, date)).toMatchObject({
    state: "sending",
    sending_at: clock.now(),
    approved_by: "ada",
    reason: "Approved by ada.",
    expires_at: new Date("2026-11-25T07:30:00Z"),
  });
});

test.each([
  ["hold", "held", "Nobody had approved it"],
  ["send", "sending", "Sent without approval"],
] as const)("at the deadline %s leaves it %s, and says so", async (approval, state, words) => {
  await due(approval);
  clock.set(`${date}T07:44:59Z`);
  await look(approval);
  expect(await getEdition(world.app.db, date)).toMatchObject({ state: "held" });
  clock.set(`${date}T07:45:00Z`);
  asked.splice(0);
  await Promise.all([look(approval), look(approval)]);
  const edition = await getEdition(world.app.db, date);
  expect(edition).toMatchObject({ state, reason: expect.stringContaining(words) });
  expect(edition.reason).toContain("07:45 (UTC)");
  if (approval === "hold") expect((await approve()).changed).toBe(true);
  else expect(asked).toContain("fan-out");
  expect(
    await world.app.db.selectFrom("audit").select("actor").where("action", "=", "edition approve").execute(),
  ).toEqual([{ actor: approval === "hold" ? "ada" : "dayletter" }]);
});

test("the words of a held edition can be mended, and what is approved is what was mended", async () => {
  const { app } = world;
  const [{ id: article }] = (await app.db.selectFrom("articles").select("id").execute()) as [{ id: number }];
  const change = (words: object) =>
    editHeld(app, { date, number: 1, change: { words: { [article]: words }, subject: "Mended" }, actor: "ada" });
  const id = await due("hold");
  await expect(change({ title: " " })).rejects.toMatchObject({ status: 422 });
  await expect(
    editHeld(app, { date, number: 1, change: { words: { 4711: { title: "x" } } }, actor: "ada" }),
  ).rejects.toMatchObject({ status: 422, message: expect.stringContaining("no article 4711") });
  await change({ title: "News,\nmended" });
  await approve();
  const press = await app.press(id);
  const delivery = { id: 1, attempts: 1, positions: [0], tagIds: [], address: "a@example.org", key: Buffer.alloc(16) };
  const mail = await readMail({ to: "a@example.org", raw: press!.print(delivery, clock.now()) });
  expect(mail).toMatchObject({ subject: "Mended", headlines: ["News, mended"] });
  await expect(change({ title: "Late" })).rejects.toMatchObject({
    status: 409,
    message: expect.stringContaining("is sending"),
  });
});

test("what an operator sends by hand is approved by that", async () => {
  const { app } = world;
  const { id } = await sendNow(app, { extra: false, actor: "ada" });
  await renderEdition({ ...app, options: { ...app.options, approval: "hold" } }, id);
  expect(await getEdition(app.db, date)).toMatchObject({ state: "sending", approved_by: "ada" });
});

/** Regular editions of the days before, of a month that was all alike. */
async function past(articles: number, selected: number, days = 10): Promise<void> {
  await sql`
    insert into editions (date, number, state, timezone, due_at, opened_at, frozen_at, sending_at, closed_at, articles, readers, selected)
    select ${date}::date - n, 1, 'finished', 'UTC', at, at, at, at, at, ${articles}, 100, ${selected}
    from generate_series(1, ${days}::int) n, lateral (select ${clock.now()}::timestamptz - make_interval(days => n) as at) t
  `.execute(world.app.db);
}

test.each<[string, number, number, number, string | null]>([
  ["as large as usual", 2, 2, 10, null],
  ["far fewer readers than usual", 2, 40, 10, "Only 2 of 2 readers would get it"],
  ["far fewer articles than usual", 80, 2, 10, "It has 1 article, and no edition of late had fewer than 80"],
  ["unusual, but too new to tell", 80, 40, 4, null],
])("an edition %s", async (_what, articles, selected, days, finding) => {
  await past(articles, selected, days);
  await due("off");
  const edition = await getEdition(world.app.db, date);
  expect(edition.state).toBe(finding === null ? "sending" : "held");
  expect(edition.reason ?? "").toContain(finding ?? "");
});

test("a feed that shows its archive is held, by the gate and whatever the deadline would say", async () => {
  await past(3, 2);
  await Promise.all(Array.from({ length: 24 }, (_, n) => addArticle(world.app, `Old news ${n}`)));
  const id = await due("send");
  expect(await getEdition(world.app.db, date)).toMatchObject({
    state: "held",
    approve_by: null,
    reason: "Held to be looked at: It has 25 articles, and no edition of late had more than 3.",
  });
  clock.set(`${date}T12:00:00Z`);
  await look("send");
  expect((await listEditions(world.app.db, 30)).find((edition) => edition.id === id)?.state).toBe("held");
});

test("a source that has fallen silent holds one edition, not all that follow", async () => {
  const { db } = world.app;
  await past(2, 2);
  const { rows } = await sql<{ id: number }>`
    insert into sources (kind, url, title, next_check_at, created_at)
    values ('feed', 'https://news.example/feed', 'The Wire', '2100-01-01', ${clock.now()}) returning id`.execute(db);
  const quiet = async (days: number) => {
    await sql`delete from articles where source_id = ${rows[0]!.id}`.execute(db);
    await sql`
      insert into articles (source_id, url, url_key, title, summary, first_seen_at, eligible_at, changed_at, hidden)
      select ${rows[0]!.id}, n::text, n::text, 'T', '', at, at, at, true
      from generate_series(1, 12) n,
        lateral (select ${clock.now()}::timestamptz - make_interval(days => n + ${days}::int - 1, hours => 1) as at) t
    `.execute(db);
  };
  await quiet(4);
  await due("off");
  expect((await getEdition(db, date)).state).toBe("sending");
  await sql`delete from editions where date = ${date}`.execute(db).catch(() => undefined);
  await quiet(5);
  await sql`update editions set state = 'opening', sending_at = null, stencil = null where date = ${date}`.execute(db);
  await renderEdition(world.app, (await getEdition(db, date)).id);
  expect((await getEdition(db, date)).reason).toBe("Held to be looked at: The Wire has brought nothing for 5 days.");
  await quiet(7);
  await sql`update editions set state = 'opening', stencil = null where date = ${date}`.execute(db);
  await renderEdition(world.app, (await getEdition(db, date)).id);
  expect((await getEdition(db, date)).state).toBe("sending");
});
