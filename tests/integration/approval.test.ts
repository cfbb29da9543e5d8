import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { deliverSlice } from "../../src/deliveries/deliver-slice.ts";
import { editHeld, type HeldChange } from "../../src/editions/edit-held.ts";
import { checkLinksNow } from "../../src/editions/links-now.ts";
import { actOnEdition } from "../../src/editions/operator-actions.ts";
import { closeEdition } from "../../src/editions/close.ts";
import { openEdition } from "../../src/editions/open.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { reasonOfEdition, type Finding } from "../../src/db/edition-reason.ts";
import { getEdition, listEditions } from "../../src/editions/store.ts";
import { frozenArticleIds, frozenArticles } from "../../src/editions/frozen-articles.ts";
import { recover } from "../../src/alerts/recover.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { addSubscriber } from "../../src/subscribers/add.ts";
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
  expect(await getEdition(world.app.db, date)).toMatchObject({
    state: "sending",
    approved_by: null,
    reason_code: null,
  });
});

test("an edition waits for approval, goes out once it is given, and has its whole time then", async () => {
  await due("hold");
  const held = await getEdition(world.app.db, date);
  expect(held).toMatchObject({ state: "held", sending_at: null, reason_code: "waiting_for_approval" });
  expect(held.reason_data).toEqual({ until: `${date}T07:45:00.000Z`, timezone: "UTC", afterwards: "hold" });
  clock.set(`${date}T07:30:00Z`);
  const twice = [await approve(), await approve()];
  expect(twice.map(({ changed }) => changed)).toEqual([true, false]);
  expect(await getEdition(world.app.db, date)).toMatchObject({
    state: "sending",
    sending_at: clock.now(),
    approved_by: "ada",
    reason_code: "approved_by",
    reason_data: { actor: "ada" },
    expires_at: new Date("2026-11-25T07:30:00Z"),
  });
});

test.each([
  ["hold", "held", "not_approved_in_time"],
  ["send", "sending", "sent_without_approval"],
] as const)("at the deadline %s leaves it %s, and says so", async (approval, state, reason_code) => {
  await due(approval);
  clock.set(`${date}T07:44:59Z`);
  await look(approval);
  expect(await getEdition(world.app.db, date)).toMatchObject({ state: "held" });
  clock.set(`${date}T07:45:00Z`);
  asked.splice(0);
  await Promise.all([look(approval), look(approval)]);
  const edition = await getEdition(world.app.db, date);
  const reason_data = { deadline: `${date}T07:45:00.000Z`, timezone: "UTC" };
  expect(edition).toMatchObject({ state, reason_code, reason_data });
  if (approval === "hold") expect((await approve()).changed).toBe(true);
  else expect(asked).toContain("queue-slices");
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
  ).rejects.toMatchObject({ code: "article_not_in_edition", details: { article: 4711 } });
  await change({ title: "News,\nmended" });
  await approve();
  const builder = await app.builder(id);
  const delivery = { positions: [0], tagIds: [], address: "a@example.org", key: Buffer.alloc(16) };
  const mail = await readMail({ to: "a@example.org", raw: builder!.print(delivery, clock.now()) });
  expect(mail).toMatchObject({ subject: "Mended", headlines: ["News, mended"] });
  await expect(change({ title: "Late" })).rejects.toMatchObject({
    code: "edition_not_held",
    details: { state: "sending" },
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

test.each<[string, number, number, number, Finding | null]>([
  ["as large as usual", 2, 2, 10, null],
  [
    "far fewer readers than usual",
    2,
    40,
    10,
    { code: "fewer_readers_than_usual", data: { selected: 2, readers: 2, fewest: 40 } },
  ],
  [
    "far fewer articles than usual",
    80,
    2,
    10,
    { code: "fewer_articles_than_usual", data: { articles: 1, fewest: 80 } },
  ],
  ["unusual, but too new to tell", 80, 40, 4, null],
])("an edition %s", async (_what, articles, selected, days, finding) => {
  await past(articles, selected, days);
  await due("off");
  const edition = await getEdition(world.app.db, date);
  expect(edition.state).toBe(finding === null ? "sending" : "held");
  expect(edition.reason_data).toEqual(finding && { findings: [finding] });
});

test("a feed that shows its archive is held by the pre-send checks, whatever the deadline would say", async () => {
  await past(3, 2);
  await Promise.all(Array.from({ length: 24 }, (_, n) => addArticle(world.app, `Old news ${n}`)));
  const id = await due("send");
  expect(await getEdition(world.app.db, date)).toMatchObject({
    state: "held",
    approve_by: null,
    reason_code: "held_by_checks",
    reason_data: { findings: [{ code: "more_articles_than_usual", data: { articles: 25, most: 3 } }] },
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
  expect(await getEdition(db, date)).toMatchObject({
    reason_code: "held_by_checks",
    reason_data: { findings: [{ code: "source_silent", data: { source: "The Wire", days: 5 } }] },
  });
  await quiet(7);
  await sql`update editions set state = 'opening', stencil = null where date = ${date}`.execute(db);
  await renderEdition(world.app, (await getEdition(db, date)).id);
  expect((await getEdition(db, date)).state).toBe("sending");
});

describe("links", () => {
  /** What each page answers; none at all for one that is slow. */
  const pages = new Map<string, number>();
  let visited: string[] = [];
  let server: Server;
  let home = "";
  /** Every name but one leads to this machine. */
  const lookup = async (name: string) => {
    if (name === "gone.site") throw Object.assign(new Error(name), { code: "ENOTFOUND" });
    return [{ address: "127.0.0.1", family: 4 }];
  };
  beforeAll(async () => {
    server = createServer(({ url = "" }, response) => {
      visited.push(url);
      const status = pages.get(url);
      if (status !== undefined) response.writeHead(status).end();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    home = `http://news.site:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(async () => {
    pages.clear();
    visited = [];
    await sql`update articles set hidden = true`.execute(world.app.db);
  });

  const publish = async (path: string, status?: number) => {
    if (status !== undefined) pages.set(path, status);
    await addArticle(world.app, path, path.startsWith("http") ? path : home + path);
  };
  const looking = () => ({ ...world.app, fetch: { ...world.app.fetch, lookup, linkMs: 300, linksMs: 600 } });
  const held = async () => {
    const edition = await getEdition(world.app.db, date);
    return { state: edition.state, reason: reasonOfEdition(edition) };
  };
  const byChecks = (...links: { title: string; result: object }[]) => ({
    code: "held_by_checks",
    data: { findings: links.map((data) => ({ code: "link_broken", data })) },
  });
  const freezeAndRender = async (env: object = {}) => {
    clock.set(`${date}T07:00:10Z`);
    await look("off");
    const { id } = await getEdition(world.app.db, date);
    const { options, ...app } = looking();
    await renderEdition({ ...app, options: { ...options, ...env } }, id);
    return id;
  };

  test("one that is certainly broken holds the edition, and says which", async () => {
    await publish("/there", 200);
    await publish("/missing", 404);
    await publish("http://gone.site/a");
    await freezeAndRender();
    expect(await held()).toEqual({
      state: "held",
      reason: byChecks(
        { title: "http://gone.site/a", result: { code: "no_such_host", host: "gone.site" } },
        { title: "/missing", result: { code: "status", status: 404 } },
      ),
    });
  });

  test.each<[string, () => Promise<void>, object]>([
    ["a slow page", () => publish("/slow"), {}],
    ["an outage", () => publish("/busy", 503), {}],
    ["a page for subscribers", () => publish("/paid", 403), {}],
    ["a name server of ours that fails", () => publish("http://gone.site/a"), {}],
    ["a broken page, where nobody wants to know", () => publish("/missing", 404), { checkLinks: false }],
  ])("%s holds nothing", async (_what, prepare, env) => {
    await prepare();
    await freezeAndRender(env);
    expect(await held()).toEqual({ state: "sending", reason: null });
  });

  test("a job that runs twice asks once for what is there, and one that is cut off decides nothing", async () => {
    await publish("/there", 200);
    const id = await freezeAndRender();
    const { db } = world.app;
    await db
      .updateTable("editions")
      .set({ state: "opening", sending_at: null, stencil: null })
      .where("id", "=", id)
      .execute();
    expect(await renderEdition(looking(), id, AbortSignal.abort())).toBe(false);
    expect(await held()).toMatchObject({ state: "opening" });
    expect(await Promise.all([renderEdition(looking(), id), renderEdition(looking(), id)])).toContain(true);
    expect(visited).toEqual(["/there"]);
  });

  test("what is mended, or left out, is said no more; the edition still waits for approval", async () => {
    await publish("/there", 200);
    await publish("/missing", 404);
    const id = await freezeAndRender();
    pages.set("/missing", 200);
    const edition = await getEdition(world.app.db, date);
    const report = await checkLinksNow(looking(), { edition, actor: "ada" });
    expect(report.links.map(({ verdict }) => verdict)).toEqual(["fine", "fine"]);
    expect(await held()).toEqual({ state: "held", reason: byChecks() });
    pages.set("/missing", 410);
    await checkLinksNow(looking(), { edition, actor: "ada" });
    expect((await held()).reason).toEqual(byChecks({ title: "/missing", result: { code: "status", status: 410 } }));
    const broken = (await frozenArticleIds(world.app.db, id))[0]!;
    await editHeld(world.app, { date, number: 1, change: { leaveOut: [broken] }, actor: "ada" });
    expect(await held()).toEqual({ state: "held", reason: byChecks() });
  });
});

describe("the articles of a held edition", () => {
  const ids: Record<string, number> = {};
  const edit = (change: HeldChange) => editHeld(world.app, { date, number: 1, change, actor: "ada" });
  const shown = async (id: number) =>
    (await frozenArticles(world.app.db, id)).map(({ position, title }) => `${position} ${title}`);
  /** Readers, each with what they would get, or why they get nothing. */
  const dealt = async (id: number) => {
    const { rows } = await sql<{ who: string; what: string }>`
      select split_part(s.address, '@', 1) as who,
        d.state || ' ' || coalesce(d.reason_code, array_to_string(array(
          select ea.snapshot ->> 'title' from edition_articles ea
          where ea.edition_id = d.edition_id and ea.position = any(c.positions) order by ea.position), ', ')) as what
      from deliveries d join cohorts c on c.id = d.cohort_id join subscribers s on s.id = d.subscriber_id
      where d.edition_id = ${id} order by who`.execute(world.app.db);
    return Object.fromEntries(rows.map(({ who, what }) => [who, what]));
  };
  const nothing = "skipped no_articles_left";

  const hold = async (): Promise<number> => {
    const { app } = world;
    await sql`truncate articles, subscribers cascade`.execute(app.db);
    for (const [title, tags] of [
      ["Masts", ["towers", "rural"]],
      ["Bids", ["LTE"]],
      ["Cable", ["LTE", "towers"]],
    ] as const) {
      await addArticle(app, title, undefined, tags);
      clock.set(new Date(clock.now().getTime() + 60_000).toISOString());
    }
    for (const row of await app.db.selectFrom("articles").select(["id", "title"]).execute()) ids[row.title] = row.id;
    await addAllNewsReaders(app, ["all@example.org"]);
    for (const [name, ...tags] of [
      ["lte", "LTE"],
      ["rural", "rural"],
      ["both", "rural", "LTE"],
    ]) {
      await addSubscriber(app, {
        address: `${name}@example.org`,
        tags,
        allTags: false,
        confirmed: true,
        actor: "test",
      });
    }
    return due("hold");
  };

  test("can be put in another order and left out, and each reader gets their part of what is left", async () => {
    const id = await hold();
    expect(await shown(id)).toEqual(["0 Cable", "1 Bids", "2 Masts"]);
    await edit({ first: [ids["Masts"]!] });
    expect(await shown(id)).toEqual(["0 Masts", "1 Cable", "2 Bids"]);
    expect(await dealt(id)).toEqual({
      all: "pending Masts, Cable, Bids",
      both: "pending Masts, Cable, Bids",
      lte: "pending Cable, Bids",
      rural: "pending Masts",
    });
    // Whoever comes now was no reader of it when it was frozen.
    await addAllNewsReaders(world.app, ["late@example.org"]);
    await edit({ leaveOut: [ids["Masts"]!] });
    expect(await dealt(id)).toEqual({
      all: "pending Cable, Bids",
      both: "pending Cable, Bids",
      lte: "pending Cable, Bids",
      rural: nothing,
    });
    expect(await editionStatus(world.app.db, await getEdition(world.app.db, date))).toMatchObject({
      articles: 2,
      balance: { selected: 4, sent: 0, skipped: 1, pending: 3 },
    });
    await edit({ takeBack: [ids["Masts"]!], first: [ids["Bids"]!] });
    expect(await shown(id)).toEqual(["0 Bids", "1 Cable", "2 Masts"]);
    expect(await dealt(id)).toMatchObject({ rural: "pending Masts", both: "pending Bids, Cable, Masts" });
  });

  test("are mailed as they were looked at, and what was left out comes with the next edition, once", async () => {
    const { app } = world;
    const id = await hold();
    await edit({ leaveOut: [ids["Masts"]!], first: [ids["Bids"]!], subject: "Mended" });
    await approve();
    const mails: string[] = [];
    const transport = {
      ...app.transport,
      send: async ({ message }: { message: Buffer }) => {
        mails.push(message.toString("latin1"));
        return { kind: "sent" as const, reply: "250 taken" };
      },
    };
    await deliverSlice({ ...app, transport }, { editionId: id, slice: 0 }, new AbortController().signal);
    expect(await closeEdition(app, id)).toBe(true);
    expect(mails).toHaveLength(3);
    for (const raw of mails) {
      const { headlines, text } = await readMail({ to: "", raw: Buffer.from(raw, "latin1") });
      expect(headlines).toEqual(["Bids", "Cable"]);
      // Of what "both" follows, the tag that nothing has any more is not given as a reason.
      expect(text.replaceAll(/\s+/g, " ")).toMatch(/because you follow (LTE|all news)\./);
    }
    await expect(edit({ takeBack: [ids["Masts"]!] })).rejects.toMatchObject({ status: 409 });
    const { edition } = await openEdition(
      { ...app, gather: async () => {} },
      { date, dueAt: clock.now(), timezone: "UTC", extra: true },
    );
    expect(await shown(edition.id)).toEqual(["0 Masts"]);
    expect(await dealt(edition.id)).toEqual({ all: "pending Masts", both: "pending Masts", rural: "pending Masts" });
  });

  test("are refused in words where they cannot be moved, and nothing changes", async () => {
    const { db } = world.app;
    const id = await hold();
    const { Masts: masts, Bids: bids, Cable: cable } = ids;
    await expect(edit({ leaveOut: [4711] })).rejects.toMatchObject({
      code: "article_not_in_edition",
      details: { article: 4711 },
    });
    await expect(edit({ first: [4711] })).rejects.toMatchObject({ code: "article_not_in_edition" });
    await expect(edit({ leaveOut: [masts!, bids!, cable!] })).rejects.toMatchObject({
      code: "no_article_left",
    });
    expect(await shown(id)).toEqual(["0 Cable", "1 Bids", "2 Masts"]);
    await edit({ leaveOut: [masts!], hide: [bids!] });
    await openEdition(
      { ...world.app, gather: async () => {} },
      { date, dueAt: clock.now(), timezone: "UTC", extra: true },
    );
    for (const one of [masts!, bids!])
      await expect(edit({ takeBack: [one] })).rejects.toMatchObject({ code: "article_not_left_out" });
    const { rows } = await sql<{
      n: number;
    }>`select number as n from editions e join articles a on a.edition_id = e.id order by 1`.execute(db);
    expect(rows.map(({ n }) => n)).toEqual([1, 2]);
    expect(await shown(id)).toEqual(["0 Cable"]);
  });
});
