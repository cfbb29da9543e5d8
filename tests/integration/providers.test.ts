import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { silentLog } from "../../src/base/log.ts";
import { randomUUID } from "node:crypto";
import { claim } from "../../src/deliveries/claims.ts";
import type { Verdict } from "../../src/mail/verdict.ts";
import { lookUpProviders, type ResolveMx } from "../../src/providers/look-up.ts";
import type { Flight } from "../../src/providers/flights.ts";
import { createProviders, type Providers, type Rooms } from "../../src/providers/providers.ts";
import { recover } from "../../src/alerts/recover.ts";
import { resumeProvider } from "../../src/providers/resume.ts";
import { providersOfDomains, readProvider, writeOwnDomains } from "../../src/providers/store.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { movedClock } from "../support/clock.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

const clock = movedClock("2026-11-24T07:00:00Z");
const connections = 8;
const slice = { editionId: 1, slice: 0 };
const minute = 60_000;
const tooFast: Verdict = { kind: "deferred", scope: "provider", quietMs: 10 * minute, reply: "421 4.7.28 too fast" };
const sent: Verdict = { kind: "sent", reply: "250 ok" };

let world: World;
let ids = 0;
beforeAll(async () => {
  world = await openWorld({ clock });
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set("2026-11-24T07:00:00Z");
  await sql`truncate editions, articles, subscribers, providers, provider_hours, provider_domains restart identity cascade`.execute(
    world.app.db,
  );
  await writeOwnDomains(world.app.db);
});

/** A worker's view, as each process has one. */
function worker(workers = 1, share = connections): Providers & { woken: string[] } {
  const woken: string[] = [];
  const wake = async (name: string): Promise<void> => void woken.push(name);
  const { db } = world.app;
  const deps = {
    db,
    clock,
    log: silentLog,
    wake,
    connections,
    share: () => share,
    workers: async () => workers,
    blocked: () => undefined,
  };
  return { ...createProviders(deps), woken };
}

const flight = (domain = "gmail.com", provider = "google"): Flight => ({
  id: (ids += 1),
  domain,
  provider,
  unit: provider,
});

/** A message that goes out and has this verdict. */
function hear(providers: Providers, verdict: Verdict, one = flight()): void {
  providers.begin(one);
  providers.start(one.id);
  providers.onVerdict(one, verdict, slice);
}

const closed = async (providers: Providers): Promise<boolean> => {
  await providers.refresh();
  return providers.rooms().closed.includes("google");
};

test("what one worker learns holds for the others, and after a restart", async () => {
  const [first, restarted] = [worker(), worker()];
  hear(first, tooFast);
  await first.settled();
  expect(await closed(first)).toBe(true);
  expect(await closed(restarted)).toBe(true);
  clock.advance(10 * minute);
  expect(await closed(restarted)).toBe(false);
  expect(restarted.rooms().rooms[restarted.rooms().units.indexOf("google")]).toBe(1);
});

test("a pause holds from the reply on, before it is stored", async () => {
  const one = worker();
  const [first, next] = [flight(), flight()];
  one.begin(next);
  hear(one, tooFast, first);
  expect(one.mayBeSent(next)).toBe(false);
  expect(one.rooms().closed).toContain("google");
  await one.settled();
  expect(one.mayBeSent(next)).toBe(false);
});

test("replies that two workers get at the same moment are one pause", async () => {
  const workers = [worker(), worker(), worker()];
  for (const one of workers) hear(one, tooFast);
  await Promise.all(workers.map((one) => one.settled()));
  expect(await readProvider(world.app.db, "google")).toMatchObject({ state: "paused", failures: 1, version: 1 });
});

test("successes of two workers at the same moment both count", async () => {
  const workers = [worker(), worker()];
  hear(workers[0]!, tooFast);
  await workers[0]!.settled();
  await Promise.all(workers.map((one) => one.refresh()));
  clock.advance(10 * minute);
  for (const one of workers) for (let i = 0; i < 3; i += 1) hear(one, sent);
  await Promise.all(workers.map((one) => one.settled()));
  expect(await readProvider(world.app.db, "google")).toMatchObject({ state: "growing", width: 7 });
});

test("workers divide the connections, and a provider has no limit any more when it has grown to all of them", async () => {
  const one = worker(4, connections / 4);
  expect(one.rooms().others).toBe(1);
  hear(one, tooFast);
  await one.settled();
  await one.refresh();
  clock.advance(10 * minute);
  for (let i = 0; i < connections; i += 1) hear(one, sent);
  await one.settled();
  expect(await readProvider(world.app.db, "google")).toMatchObject({ state: "open", width: null });
});

test("a message from before the pause does not lengthen it", async () => {
  const one = worker();
  const late = flight();
  one.begin(late);
  one.start(late.id);
  hear(one, tooFast);
  await one.settled();
  clock.advance(10 * minute);
  one.onVerdict(late, tooFast, slice);
  await one.settled();
  expect(await readProvider(world.app.db, "google")).toMatchObject({ failures: 1 });
});

test("a customer's domain alone does not stop its provider", async () => {
  const one = worker();
  hear(one, tooFast, flight("paper.example"));
  await one.settled();
  await one.refresh();
  expect(one.rooms()).toMatchObject({ closed: ["paper.example"], apart: ["paper.example"] });
});

test("a claim passes over who must wait, gives each their turns, and says for whom something is left", async () => {
  const { app } = world;
  await addArticle(app, "News");
  const at = (domain: string, n: number) => Array.from({ length: n }, (_, i) => `r${i}@${domain}`);
  await addAllNewsReaders(app, [
    ...at("gmail.com", 4),
    ...at("paper.news", 3),
    ...at("web.de", 4),
    ...at("club.news", 4),
  ]);
  await sql`insert into provider_domains (domain, provider) values ('paper.news', 'google')`.execute(app.db);
  const { id } = await sendNow(app, { extra: false, actor: "test" });
  await renderEdition(app, id);
  const take = async (rooms: Rooms) => {
    const request = { editionId: id, slice: 0, count: 50, now: clock.now(), sender: randomUUID(), rooms: () => rooms };
    const { claimed, heldBack } = await app.db.transaction().execute((tx) => claim(tx, request));
    return { domains: claimed.map(({ domain }) => domain), heldBack };
  };
  // A customer's domain that may have some waits for its provider nevertheless.
  const rooms = {
    closed: ["google"],
    apart: ["google", "paper.news"],
    units: ["paper.news", "gmx"],
    rooms: [2, 3],
    others: 1,
  };
  expect(await take(rooms)).toEqual({ domains: ["web.de", "web.de", "web.de", "club.news"], heldBack: [] });
  expect(await take({ ...rooms, closed: ["google", "gmx", "club.news"] })).toEqual({
    domains: [],
    heldBack: expect.arrayContaining(["google", "gmx", "club.news"]),
  });
  const growing = { closed: ["gmx", "club.news"], apart: ["google"], units: ["google"], rooms: [5], others: 1 };
  expect((await take(growing)).domains).toEqual([...at("", 4).map(() => "gmail.com"), "paper.news"]);
});

test("a slice that waits is queued again when an operator resumes the provider, and when a message makes room", async () => {
  const one = worker();
  hear(one, tooFast);
  await one.settled();
  await one.refresh();
  await one.park(slice, ["google"]);
  // At the end of the pause; once by the reply, and once by the slice.
  expect(one.woken).toEqual(["queue-slices", "queue-slices"]);
  const queued: string[] = [];
  const wake = async (name: string): Promise<void> => void queued.push(name);
  await addArticle(world.app, "News");
  await addAllNewsReaders(world.app, ["ada@gmail.com"]);
  const { id } = await sendNow(world.app, { extra: false, actor: "test" });
  await renderEdition(world.app, id);
  await resumeProvider({ db: world.app.db, clock, wake }, { name: "google", actor: "test" });
  expect(queued).toEqual(["recover"]);
  await recover({ ...world.app, wake });
  expect(queued).toContain("deliver-slice");
  // Others notice within a second.
  await eventually("the worker knows", async () => !(await closed(one)));
  expect(one.woken.filter((name) => name === "deliver-slice").length).toBeLessThanOrEqual(1);
  await one.park(slice, ["google"]);
  expect(one.woken.at(-1)).toBe("deliver-slice");
});

test("a notice that is told to slow down pauses the provider for editions", async () => {
  const one = worker();
  one.onNoticeVerdict("ada@googlemail.com", tooFast);
  await one.settled();
  expect(await readProvider(world.app.db, "google")).toMatchObject({ state: "paused" });
});

test("a domain that is no provider's own any more is looked up like any other", async () => {
  const { db } = world.app;
  await sql`insert into provider_domains (domain, provider) values ('sold.news', 'google')`.execute(db);
  await writeOwnDomains(db);
  expect(await providersOfDomains(db, ["sold.news", "gmail.com"])).toEqual(
    new Map([
      ["sold.news", "sold.news"],
      ["gmail.com", "google"],
    ]),
  );
});

test("counts are kept by hour, and written when the process ends", async () => {
  const one = worker();
  for (const verdict of [sent, sent, tooFast]) hear(one, verdict);
  await one.close(1_000);
  const rows = await world.app.db.selectFrom("provider_hours").select(["provider", "accepted", "deferred"]).execute();
  expect(rows).toEqual([{ provider: "google", accepted: 2, deferred: 1 }]);
});

test("MX records join domains to providers, most readers first, and nothing that a name server does hurts", async () => {
  await addArticle(world.app, "News");
  await addAllNewsReaders(world.app, [
    "a@big.news",
    "b@big.news",
    "c@gmail.com",
    "d@hangs.news",
    "e@lies.news",
    "f@none.news",
    "g@fails.news",
    "h@reader.example.org",
  ]);
  const { id } = await sendNow(world.app, { extra: false, actor: "test" });
  const asked: string[] = [];
  const resolveMx: ResolveMx = (domain) => {
    asked.push(domain);
    if (domain === "big.news") return Promise.resolve(["aspmx.l.google.com"]);
    if (domain === "hangs.news") return new Promise(() => undefined);
    if (domain === "lies.news") return Promise.resolve(["\u0000' or 1=1 --", "x".repeat(1_000_000)]);
    const code = domain === "none.news" ? "ENOTFOUND" : "ESERVFAIL";
    return Promise.reject(Object.assign(new Error(code), { code }));
  };
  const look = () => lookUpProviders({ ...world.app, resolveMx }, id, new AbortController().signal);
  expect(await look()).toBe(false);
  expect(asked[0]).toBe("big.news");
  expect(asked).not.toContain("gmail.com");
  expect(asked).not.toContain("reader.example.org");
  const providers = await providersOfDomains(world.app.db, ["big.news", "hangs.news", "lies.news", "none.news"]);
  expect([...providers.values()]).toEqual(["google", "hangs.news", "lies.news", "none.news"]);
  // Failures are asked for again after an hour, answers after a week.
  asked.length = 0;
  clock.advance(61 * minute);
  await look();
  expect(asked.toSorted()).toEqual(["fails.news", "hangs.news"]);
  asked.length = 0;
  clock.advance(7 * 24 * 60 * minute);
  await look();
  expect(asked).toContain("big.news");
});
