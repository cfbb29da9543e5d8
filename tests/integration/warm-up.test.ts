import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { askWhy } from "../../src/editions/explain.ts";
import { actOnEdition } from "../../src/editions/operator-actions.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { planSendNow, sendNow } from "../../src/editions/send-now.ts";
import { comingEdition, comingWarmUp } from "../../src/editions/upcoming.ts";
import { getEdition, type Edition } from "../../src/editions/store.ts";
import { reassign } from "../../src/deliveries/audience.ts";
import { countStates } from "../../src/deliveries/store.ts";
import { warmUpStatus } from "../../src/deliveries/warm-up-rooms.ts";
import { saveSchedule } from "../../src/schedule/store.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { processors } from "../../jobs/index.ts";
import { movedClock } from "../support/clock.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { openWorld, type World } from "../support/world.ts";

const date = "2026-11-24";
const clock = movedClock(`${date}T05:00:00Z`);
let world: World;

beforeAll(async () => {
  world = await openWorld({ clock, env: { WARMUP_START: date, WARMUP_SCHEDULE: "2,4,8", SEND_DAYS: "mon-fri" } });
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(`${date}T05:00:00Z`);
  await sql`truncate editions, articles, subscribers, sources, tags, audit cascade`.execute(world.app.db);
  await saveSchedule(world.app.db, { sendAt: null, sendDays: null, timezone: null }, world.app.options, clock.now());
});

/** Readers in the order of their consent, the oldest first. */
async function addReaders(domain: string, names: string): Promise<void> {
  for (const name of names.split(" ")) {
    clock.advance(1_000);
    await addAllNewsReaders(world.app, [`${name}@${domain}`]);
  }
}

async function freeze(extra = false): Promise<Edition> {
  await addArticle(world.app, `News of ${clock.now().toISOString()} ${extra}`);
  return sendNow(world.app, { extra, actor: "test" });
}

async function deliver({ id, date: day, number, slices }: Edition): Promise<Edition> {
  await renderEdition(world.app, id);
  const jobs = processors(world.app);
  const { signal } = new AbortController();
  for (let slice = 0; slice < slices; slice++) await jobs["deliver-slice"]({ editionId: id, slice }, signal);
  await jobs["close-edition"]({ editionId: id }, signal);
  return getEdition(world.app.db, day, number);
}

/** Who is not left out, sorted. */
async function included({ id }: Edition): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select split_part(s.address, '@', 1) as name from deliveries d join subscribers s on s.id = d.subscriber_id
    where d.edition_id = ${id} and d.state <> 'skipped' order by 1`.execute(world.app.db);
  return rows.map(({ name }) => name).join(" ");
}

const tomorrow = (): void => clock.advance(24 * 3_600_000);

test("each provider gets up to the cap, the newest consent first, and the edition adds up", async () => {
  await addReaders("gmail.com", "g1 g2 g3");
  await addReaders("googlemail.com", "g4 g5");
  await addReaders("small.example", "s1 s2");
  const frozen = await freeze();
  expect(await included(frozen)).toBe("g4 g5 s1 s2");
  expect(frozen).toMatchObject({ selected: 7, warm_up: { day: 1, cap: 2, leftOut: 3 } });
  const sent = await deliver(frozen);
  expect(sent.state).toBe("finished");
  expect(await countStates(world.app.db, sent)).toMatchObject({ selected: 7, sent: 4, skipped: 3 });
});

test("the next day those of the day before stay in, although others have a newer consent", async () => {
  await addReaders("gmail.com", "a b c d");
  await deliver(await freeze());
  await addReaders("gmail.com", "e f g");
  tomorrow();
  const second = await freeze();
  expect(await included(second)).toBe("c d f g");
  expect(second.warm_up).toEqual({ day: 2, cap: 4, leftOut: 3 });
  await deliver(second);
  tomorrow();
  expect((await freeze()).warm_up).toEqual({ day: 3, cap: 8, leftOut: 0 });
});

test("after the last day everybody is served, and a day without emails does not count", async () => {
  await addReaders("gmail.com", "a b c d e");
  for (const cap of [2, 4, 8]) {
    tomorrow();
    tomorrow();
    const edition = await freeze();
    expect(edition.warm_up).toMatchObject({ cap });
    await deliver(edition);
  }
  tomorrow();
  const last = await freeze();
  expect(last.warm_up).toBeNull();
  expect(await included(last)).toBe("a b c d e");
});

test("with hours, each provider gets its share hour by hour", async () => {
  const app = { ...world.app, options: { ...world.app.options, warmupSchedule: [5], warmupHours: 2 } };
  await addReaders("gmail.com", "a b c d e f");
  await addReaders("small.example", "s");
  await addArticle(app, "News");
  const now = clock.now();
  const { id, warm_up } = await sendNow(app, { extra: false, actor: "test" });
  expect(warm_up).toEqual({ day: 1, cap: 5, leftOut: 1 });
  const { rows } = await sql`
    select split_part(s.address, '@', 1) as name, d.state, d.due_at, d.leaves_at
    from deliveries d join subscribers s on s.id = d.subscriber_id where d.edition_id = ${id} order by d.id`.execute(
    app.db,
  );
  const hour = new Date(now.getTime() + 3_600_000);
  const at = (name: string, due: Date | null, state = "pending") => ({ name, state, due_at: due, leaves_at: due });
  expect(rows).toEqual([
    ...["d", "e", "f", "s"].map((name) => at(name, null)),
    ...["b", "c"].map((name) => at(name, hour)),
    at("a", null, "skipped"),
  ]);
});

test("an extra edition of the same day gets what is left of the cap", async () => {
  await addReaders("gmail.com", "a b c");
  await deliver(await freeze());
  tomorrow();
  const regular = await freeze();
  expect(await included(regular)).toBe("a b c");
  const extra = await freeze(true);
  expect(await included(extra)).toBe("c");
  expect(extra.warm_up).toEqual({ day: 2, cap: 4, leftOut: 2 });
  expect(await included(await freeze(true))).toBe("");
});

test("an edition for nobody but those left out is finished", async () => {
  await addReaders("gmail.com", "a b");
  await deliver(await freeze());
  const extra = await deliver(await freeze(true));
  expect(extra).toMatchObject({ state: "finished", selected: 2, warm_up: { leftOut: 2 } });
});

test("an edition that was cancelled before anything was sent uses up nothing", async () => {
  await addReaders("gmail.com", "a b c");
  await freeze();
  await actOnEdition(world.app, { date, number: 1, action: "cancel", actor: "test" });
  expect(await included(await freeze(true))).toBe("b c");
});

test("why says the cap of the day and when all readers of the provider are expected to be served", async () => {
  await addReaders("gmail.com", "a b c d e");
  await freeze();
  const { id } = (await findByAddress(world.app.db, "a@gmail.com"))!;
  const [why] = (await askWhy(world.app, id)).editions;
  // 24 November is a Tuesday: 4 on Wednesday, 8 on Thursday.
  expect(why).toMatchObject({
    code: "skipped",
    data: { outcome: { code: "warm_up", data: { provider: "google", cap: 2, from: "2026-11-26" } } },
  });
});

test("the preview and the plan of sending now count what the warm-up would leave out", async () => {
  await addReaders("gmail.com", "a b c");
  await addArticle(world.app, "News");
  const leftOut = { day: 1, cap: 2, leftOut: 1 };
  expect(await comingWarmUp(world.app, await comingEdition(world.app))).toEqual(leftOut);
  expect(await planSendNow(world.app)).toMatchObject({ readers: 2, warmUp: leftOut });
  await deliver(await sendNow(world.app, { extra: false, actor: "test" }));
  await addArticle(world.app, "More news");
  expect(await planSendNow(world.app)).toMatchObject({ readers: 0, warmUp: { ...leftOut, leftOut: 3 } });
});

test("readers who are left out stay so when an editor takes articles out of a held edition and puts them back", async () => {
  const { db } = world.app;
  await addReaders("gmail.com", "a b c");
  const edition = await freeze();
  const articles = await db.selectFrom("edition_articles").selectAll().where("edition_id", "=", edition.id).execute();
  const change = (tags: number[]) =>
    db.transaction().execute(async (tx) => {
      await sql`update deliveries set tag_ids = ${tags}::int[] where edition_id = ${edition.id}`.execute(tx);
      await reassign(tx, edition.id, clock.now());
    });
  await change([-1]);
  expect(await included(edition)).toBe("");
  await change(articles[0]!.tag_ids);
  expect(await included(edition)).toBe("b c");
});

test("the status counts each provider and plans the days ahead, without those on which nothing is sent", async () => {
  await addReaders("gmail.com", "a b c d e");
  await addReaders("small.example", "s");
  const providers = (sent: [number, number], leftOut: number) => [
    { provider: "google", readers: 5, sent: sent[0], leftOut, servedFrom: "2026-11-26" },
    { provider: "small.example", readers: 1, sent: sent[1], leftOut: 0, servedFrom: date },
  ];
  const planned = [
    { date, cap: 2 },
    { date: "2026-11-25", cap: 4 },
    { date: "2026-11-26", cap: 8 },
    { date: "2026-11-27", cap: null },
  ];
  const status = () => warmUpStatus(world.app, 10);
  expect(await status()).toMatchObject({
    state: "running",
    current: { date, planned },
    providers: providers([0, 0], 0),
  });
  await deliver(await freeze());
  expect(await status()).toMatchObject({ current: { day: 1, planned }, providers: providers([2, 1], 3) });
  clock.set("2026-11-28T05:00:00Z");
  // A Saturday.
  expect(await status()).toMatchObject({ current: { date: "2026-11-30", day: 2, cap: 4 } });
  clock.set("2026-11-22T05:00:00Z");
  expect(await status()).toMatchObject({ state: "waiting", current: { date, day: 1 } });
  const off = { ...world.app, options: { ...world.app.options, warmupStart: null } };
  expect(await warmUpStatus(off, 10)).toMatchObject({ state: "off", current: null, providers: [] });
});

test("before the start nobody is left out", async () => {
  clock.set("2026-11-23T05:00:00Z");
  await addReaders("gmail.com", "a b c");
  const edition = await freeze();
  expect(edition.warm_up).toBeNull();
  expect(await included(edition)).toBe("a b c");
});
