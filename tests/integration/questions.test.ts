import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sql } from "kysely";
import { listAudit } from "../../src/audit/audit.ts";
import { closeEdition } from "../../src/editions/close.ts";
import { askWhy } from "../../src/editions/explain.ts";
import { deliverSlice } from "../../src/deliveries/deliver-slice.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { askAgain } from "../../src/outcomes/ask-again.ts";
import { sendNotices } from "../../src/notices/send.ts";
import { status } from "../../src/alerts/status.ts";
import { ensureSetup } from "../../src/operators/links.ts";
import { recordOutcome } from "../../src/outcomes/record.ts";
import { changeAddress, confirmAddressChange } from "../../src/subscribers/change-address.ts";
import { confirm } from "../../src/subscribers/confirm.ts";
import { erase } from "../../src/subscribers/erase.ts";
import { addNotice } from "../../src/subscribers/notices.ts";
import { personalData } from "../../src/subscribers/personal-data.ts";
import { pauseReader } from "../../src/subscribers/preferences.ts";
import { endQuestions } from "../../src/subscribers/questions.ts";
import { handleSignups, requestSignup } from "../../src/subscribers/signup.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { suppressAddress } from "../../src/subscribers/suppressions.ts";
import { keepLink, ownLinks } from "../../src/subscribers/tokens.ts";
import { unsubscribeReader } from "../../src/subscribers/unsubscribe.ts";
import { buildWeb } from "../../src/web/build.ts";
import { movedClock } from "../support/clock.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { readMail } from "../support/reading.ts";
import { signIn } from "../support/sign-in.ts";
import { startSink, type Answer, type Sink } from "../support/sink.ts";
import { openWorld, type World } from "../support/world.ts";

const apiToken = "a-token-that-is-long-enough-for-tests";
const dayMs = 24 * 3_600_000;
const clock = movedClock("2026-11-24T10:00:00Z");
let sink: Sink;
let world: World;
let web: FastifyInstance;
/** What the relay says to an address. */
let answerTo: (to: string) => Answer = () => null;

beforeAll(async () => {
  sink = await startSink({ onRcpt: (to) => answerTo(to) });
  world = await openWorld({
    clock,
    env: {
      SMTP_URL: sink.url,
      ASK_AGAIN_MONTHS: "12",
      DAYLETTER_TOKEN: apiToken,
      BOUNCE_ADDRESS: "bounce@news.example.com",
    },
  });
  world.app.mayMail = async () => true;
  web = buildWeb(world.app);
});
afterAll(async () => {
  await web.close();
  await world.close();
  await sink.close();
});
beforeEach(async () => {
  answerTo = () => null;
  sink.messages.length = 0;
  for (const table of ["questions", "notices", "subscribers", "suppressions", "caps", "audit"] as const) {
    await world.app.db.deleteFrom(table).execute();
  }
});

const days = (n: number): void => clock.advance(n * dayMs);
const reader = async (address: string) => (await findByAddress(world.app.db, address))!;
const send = () => sendNotices(world.app, new AbortController().signal);
const questions = () =>
  world.app.db
    .selectFrom("questions")
    .leftJoin("subscribers as s", "s.id", "questions.subscriber_id")
    .select(["s.address", "cause", "outcome"])
    .orderBy("questions.id")
    .execute();
const post = (url: string, fields: Record<string, string> = {}) =>
  web.inject({
    method: "POST",
    url,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams(fields).toString(),
  });
const keepPath = async (address: string): Promise<string> =>
  keepLink({ secret: world.app.options.secret, publicUrl: "" }, (await reader(address)).key);

const api = (method: "GET" | "PATCH", path: string, body?: object) =>
  web.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${apiToken}` },
    ...(body ? { payload: body } : {}),
  });

/** Sends an edition to all readers. @returns who got it */
async function edition(): Promise<string[]> {
  const { app } = world;
  sink.messages.length = 0;
  await addArticle(app, clock.now().toISOString());
  const { id: editionId } = await sendNow(app, { extra: false, actor: "test" });
  await renderEdition(app, editionId);
  await deliverSlice(app, { editionId, slice: 0 }, new AbortController().signal);
  await closeEdition(app, editionId);
  return sink.messages.map(({ to }) => to).toSorted();
}

/** Asks a reader who has done nothing for long, and has the email sent. */
async function ask(address: string): Promise<void> {
  await addAllNewsReaders(world.app, [address]);
  days(400);
  await askAgain(world.app);
  clock.advance(1_000);
  await send();
}

test("readers who have done nothing for long are asked once, however often the job runs", async () => {
  const { app } = world;
  await addAllNewsReaders(
    app,
    ["old", "changed", "breaks", "left", "gone"].map((name) => `${name}@example.org`),
  );
  days(400);
  await addAllNewsReaders(app, ["new@example.org"]);
  const { secret } = app.options;
  const own = ownLinks({ secret, publicUrl: "" }, (await reader("changed@example.org")).key);
  expect((await post(own.preferences, { all: "1" })).statusCode).toBe(303);
  const until = new Date(clock.now().getTime() + 7 * dayMs);
  await pauseReader(app, { id: (await reader("breaks@example.org")).id, until, by: "operator" });
  await unsubscribeReader(app, { id: (await reader("left@example.org")).id, actor: null });
  await suppressAddress(app, { address: "gone@example.org", reason: "operator", detail: null, actor: "test" });
  await Promise.all([askAgain(app), askAgain(app)]);
  await askAgain(app);
  await send();
  days(1);
  await askAgain(app);
  expect(await questions()).toEqual([{ address: "old@example.org", cause: "silence", outcome: null }]);
  const [entry] = await listAudit(app.db, { limit: 1 });
  expect(entry).toMatchObject({ actor: "dayletter", action: "subscribers ask", detail: { silence: 1, bounces: 0 } });

  expect(sink.messages.map(({ to }) => to)).toEqual(["old@example.org"]);
  const { text } = await readMail(sink.messages[0]!);
  expect(text).toContain(await keepPath("old@example.org"));
});

test("looking at the page changes nothing, and its button keeps the subscription", async () => {
  const { app } = world;
  await ask("ada@example.org");
  const path = await keepPath("ada@example.org");
  const before = await sql`select to_jsonb(s) from subscribers s`.execute(app.db);
  for (const method of ["GET", "HEAD", "GET"] as const) {
    expect((await web.inject({ method, url: path })).statusCode).toBe(200);
  }
  expect((await sql`select to_jsonb(s) from subscribers s`.execute(app.db)).rows).toEqual(before.rows);
  expect(await questions()).toMatchObject([{ outcome: null }]);

  for (let i = 0; i < 2; i++) expect((await post(path)).statusCode).toBe(200);
  expect(await questions()).toMatchObject([{ outcome: "kept" }]);
  const kept = app.db.selectFrom("consents").select("method").where("method", "=", "kept");
  expect(await kept.execute()).toHaveLength(1);
  days(300);
  await askAgain(app);
  expect(await questions()).toHaveLength(1);
  expect(await reader("ada@example.org")).toMatchObject({ status: "active", pausedSince: null });
  days(70);
  await askAgain(app);
  expect(await questions()).toMatchObject([{ outcome: "kept" }, { outcome: null }]);
});

test("a reader who does not answer is paused after 30 days, with reason and date, and can come back with the link", async () => {
  const { app } = world;
  await addAllNewsReaders(app, ["asks@example.org"]);
  await ask("ada@example.org");
  await post(await keepPath("asks@example.org"));
  days(29);
  await askAgain(app);
  expect(await reader("ada@example.org")).toMatchObject({ pausedSince: null });
  expect(await edition()).toEqual(["ada@example.org", "asks@example.org"]);
  days(1);
  const at = clock.now();
  await askAgain(app);
  await askAgain(app);
  const { id } = await reader("ada@example.org");
  expect(await reader("ada@example.org")).toMatchObject({ status: "active", pausedSince: at, pausedFor: "silence" });
  expect(await edition()).toEqual(["asks@example.org"]);
  expect(await askWhy(app, id)).toMatchObject({ editions: [{ code: "unanswered", data: { at, cause: "silence" } }] });
  expect(await status(app)).toMatchObject({
    subscribers: { active: 2 },
    questions: { asked: 2, kept: 1, paused: 1, open: 0, unsubscribed: 0, pausedReaders: 1 },
  });
  const shown = (await api("GET", `/subscribers/${id}`)).json<object>();
  expect(shown).toMatchObject({ pausedSince: at.toISOString(), pausedFor: "silence" });
  expect((await api("GET", `/subscribers/${id}/why`)).json<object>()).toMatchObject({ code: "unanswered" });
  expect((await api("GET", "/status")).json<object>()).toMatchObject({ questions: { asked: 2, pausedReaders: 1 } });
  const entries = await listAudit(app.db, { limit: 50 });
  expect(entries.filter(({ action }) => action === "subscribers pause")).toMatchObject([{ detail: { paused: 1 } }]);
  const { key } = await reader("ada@example.org");
  const { preferences } = ownLinks({ ...app.options, publicUrl: "" }, key);
  expect((await web.inject(preferences)).body).toContain('value="none"');

  days(500);
  await askAgain(app);
  expect((await questions()).filter(({ address }) => address === "ada@example.org")).toHaveLength(1);
  const path = await keepPath("ada@example.org");
  expect((await web.inject(path)).statusCode).toBe(200);
  expect(await reader("ada@example.org")).toMatchObject({ pausedSince: at });
  await post(path);
  expect(await reader("ada@example.org")).toMatchObject({ pausedSince: null, pausedFor: null });
  expect(await edition()).toContain("ada@example.org");
});

test.each<[string, (id: number) => Promise<unknown>]>([
  [
    "the button on the preferences",
    async () => {
      const { key } = await reader("ada@example.org");
      return post(`${ownLinks({ ...world.app.options, publicUrl: "" }, key).preferences}/pause`, { for: "none" });
    },
  ],
  [
    "a change of tags",
    async () => {
      const { key } = await reader("ada@example.org");
      return post(ownLinks({ ...world.app.options, publicUrl: "" }, key).preferences, { all: "1" });
    },
  ],
  ["the API", (id) => api("PATCH", `/subscribers/${id}`, { pausedUntil: null })],
  [
    "an operator's page",
    async (id) => {
      const { app } = world;
      await ensureSetup(app);
      const dashboard = await signIn({ app, inject: async (options) => web.inject(options) });
      const page = `/operator/readers/${id}`;
      expect((await dashboard.get(page)).body).toContain('name="resume"');
      await dashboard.post(`${page}/edit`, { all: "1", tags: "", pause: "", timezone: "" });
      expect((await reader("ada@example.org")).pausedSince).not.toBeNull();
      await dashboard.post(`${page}/edit`, { all: "1", tags: "", pause: "", timezone: "", resume: "1" });
    },
  ],
  [
    "signing up again",
    async () => {
      const { app } = world;
      const form = { tags: [], allTags: true, timezone: null, formUrl: null, from: null };
      await requestSignup(app, { ...form, address: "ada@example.org" });
      await handleSignups(app);
      await send();
      const { text } = await readMail(sink.messages.at(-1)!);
      await confirm(app, /\/confirm\/([\w-]+)/.exec(text)![1]!, null);
    },
  ],
])("%s ends the pause", async (_what, act) => {
  await ask("ada@example.org");
  days(30);
  await askAgain(world.app);
  const { id, pausedSince } = await reader("ada@example.org");
  expect(pausedSince).not.toBeNull();
  await act(id);
  expect(await reader("ada@example.org")).toMatchObject({ status: "active", pausedSince: null, pausedFor: null });
  days(1);
  await askAgain(world.app);
  expect(await questions()).toMatchObject([{ outcome: "paused" }]);
});

test("whoever answers at the moment in which the job decides is not paused", async () => {
  const { app } = world;
  await ask("ada@example.org");
  days(30);
  const now = clock.now();
  const { id: question } = await app.db.selectFrom("questions").select("id").executeTakeFirstOrThrow();
  await post(await keepPath("ada@example.org"));
  const ended = await app.db
    .transaction()
    .execute((tx) => endQuestions(tx, [{ id: question, outcome: "paused" }], now));
  expect(ended).toEqual([]);
  expect(await reader("ada@example.org")).toMatchObject({ pausedSince: null });
  expect(await questions()).toMatchObject([{ outcome: "kept" }]);
});

test("questions that wait keep no other email waiting", async () => {
  const { app } = world;
  await addAllNewsReaders(app, ["ada@example.org"]);
  days(400);
  await askAgain(app);
  clock.advance(60_000);
  const { id, address } = await reader("ada@example.org");
  await addNotice(app.db, { kind: "settings", subscriberId: id, address }, clock.now());
  const { claimed } = await app.noticeLedger.claim({ count: () => 1 });
  await app.noticeLedger.giveBack(claimed.map((one) => one.id));
  expect(claimed).toMatchObject([{ kind: "settings" }]);
});

test("whoever leaves, moves or is suppressed meanwhile is not paused", async () => {
  const { app } = world;
  const names = ["leaves", "moves", "gone", "erased", "breaks"].map((name) => `${name}@example.org`);
  await addAllNewsReaders(app, names.slice(1));
  await ask(names[0]!);
  days(1);
  await send();
  await unsubscribeReader(app, { id: (await reader("leaves@example.org")).id, actor: null });
  await changeAddress(app, (await reader("moves@example.org")).id, "moved@example.org", null);
  await send();
  const change = sink.messages.find(({ to }) => to === "moved@example.org")!;
  await confirmAddressChange(app, /\/change-address\/([\w-]+)/.exec((await readMail(change)).text)![1]!, null);
  await suppressAddress(app, { address: "gone@example.org", reason: "operator", detail: null, actor: "test" });
  await erase(app, (await reader("erased@example.org")).id);
  const until = new Date(clock.now().getTime() + 90 * dayMs);
  await pauseReader(app, { id: (await reader("breaks@example.org")).id, until, by: "reader" });
  days(40);
  await askAgain(app);
  const ended = await questions();
  expect(new Map(ended.map(({ address, outcome }) => [address, outcome]))).toEqual(
    new Map([
      ["leaves@example.org", "unsubscribed"],
      ["moved@example.org", "kept"],
      ["gone@example.org", "dropped"],
      [null, "unsubscribed"],
      ["breaks@example.org", "kept"],
    ]),
  );
  const paused = app.db.selectFrom("subscribers").select("address").where("paused_since", "is not", null);
  expect(await paused.execute()).toEqual([]);
  await post(await keepPath("leaves@example.org"));
  expect((await reader("leaves@example.org")).status).toBe("unsubscribed");
});

test("whoever answers before the email is sent gets none", async () => {
  const { app } = world;
  await addAllNewsReaders(app, ["ada@example.org"]);
  days(400);
  await askAgain(app);
  const { key } = await reader("ada@example.org");
  await post(`${ownLinks({ ...app.options, publicUrl: "" }, key).preferences}/timezone`, { timezone: "Asia/Seoul" });
  await send();
  expect(sink.messages).toEqual([]);
  const notices = await app.db.selectFrom("notices").select(["state", "reason_code"]).execute();
  expect(notices).toEqual([{ state: "skipped", reason_code: "question_answered" }]);
});

test("a question that the relay refuses pauses nobody, and is asked again a month later", async () => {
  const { app } = world;
  answerTo = () => "550 5.7.1 Not today";
  await ask("ada@example.org");
  days(1);
  await askAgain(app);
  expect(await questions()).toMatchObject([{ outcome: "dropped" }]);
  expect(await reader("ada@example.org")).toMatchObject({ status: "active", pausedSince: null });
  days(30);
  await askAgain(app);
  expect(await questions()).toMatchObject([{ outcome: "dropped" }, { outcome: null }]);
});

test("readers whose emails mostly bounce softly are asked, and paused if that goes on", async () => {
  const { app } = world;
  const all = ["well", "recovers", "full", "refused", "hard"].map((name) => `${name}@example.org`);
  await addAllNewsReaders(app, all);
  const bounce = async (name: string) => {
    const report = { outcome: "bounced", code: "5.2.2", text: null, at: null, source: "api", guess: false } as const;
    await recordOutcome(app, { address: `${name}@example.org` }, report);
  };
  /** An edition every five days; of four to a full mailbox, three bounce. */
  const month = async (bouncing: readonly string[], refused: boolean): Promise<void> => {
    for (let n = 0; n < 6; n++) {
      const full = n !== 1;
      answerTo = (to) => (full && refused && to === "refused@example.org" ? "552 5.2.2 Mailbox full" : null);
      await edition();
      if (full) for (const name of bouncing) await bounce(name);
      days(5);
    }
  };
  await month(["recovers", "full", "hard"], true);
  // As if the brake had spared the address.
  await sql`
    update delivery_outcomes o set kind = 'hard' from deliveries d join subscribers s on s.id = d.subscriber_id
    where d.edition_id = o.edition_id and d.id = o.delivery_id and s.address = 'hard@example.org'`.execute(app.db);
  await askAgain(app);
  expect(await questions()).toEqual(
    ["recovers", "full", "refused"].map((name) => ({
      address: `${name}@example.org`,
      cause: "bounces",
      outcome: null,
    })),
  );
  clock.advance(5_000);
  await send();
  days(1);
  await month(["full"], true);
  await askAgain(app);
  expect((await questions()).map(({ outcome }) => outcome)).toEqual(["dropped", "paused", "paused"]);
  expect(await reader("full@example.org")).toMatchObject({ status: "active", pausedFor: "bounces" });
});

test("of a long list, no more are asked a day than the bound, one after the other", async () => {
  const { app } = world;
  await addAllNewsReaders(
    app,
    Array.from({ length: 1_003 }, (_, i) => `r${i}@example.org`),
  );
  days(400);
  await askAgain(app);
  await askAgain(app);
  expect(await questions()).toHaveLength(1_000);
  const { rows } = await sql<{ last: Date; apart: number }>`
    select max(due_at) as last, count(distinct due_at)::int as apart from notices`.execute(app.db);
  expect(rows[0]).toEqual({ last: new Date(clock.now().getTime() + 999_000), apart: 1_000 });
  days(1);
  await askAgain(app);
  expect(await questions()).toHaveLength(1_003);
});

test("the export has the questions, and an erasure keeps only the count", async () => {
  const { app } = world;
  await ask("ada@example.org");
  days(30);
  await askAgain(app);
  const { id } = await reader("ada@example.org");
  expect(await personalData(app, id)).toMatchObject({
    subscriber: { pausedSince: clock.now(), pausedFor: "silence" },
    questions: [{ cause: "silence", outcome: "paused", askedAt: expect.any(Date), sentAt: expect.any(Date) }],
  });
  await erase(app, id);
  expect(await questions()).toEqual([{ address: null, cause: "silence", outcome: "paused" }]);
});

test("a token of another purpose does not answer, and this one opens no preferences", async () => {
  await ask("ada@example.org");
  const { key } = await reader("ada@example.org");
  const own = ownLinks({ ...world.app.options, publicUrl: "" }, key);
  const token = (await keepPath("ada@example.org")).split("/").at(-1)!;
  const other = own.oneClick.split("/").at(-1)!;
  expect((await post(`/keep/${other}`)).statusCode).toBe(404);
  expect((await web.inject(`/preferences/${token}`)).statusCode).toBe(404);
  const page = (await web.inject(`/keep/${token}`)).body;
  expect(page).not.toContain("/preferences/");
  expect(page).not.toContain("ada@");
  expect(page).toContain(`action="${own.oneClick}"`);
  expect(await questions()).toMatchObject([{ outcome: null }]);
});
