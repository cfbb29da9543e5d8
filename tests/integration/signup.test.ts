import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ingest } from "../../src/articles/ingest.ts";
import type { Verdict } from "../../src/mail/verdict.ts";
import { retain } from "../../src/alerts/retention.ts";
import { silentLog } from "../../src/base/log.ts";
import { createLedger } from "../../src/ledger/ledger.ts";
import { sweepDeadClaims } from "../../src/ledger/dead-senders.ts";
import { apiSource } from "../../src/sources/store.ts";
import { addSubscriber } from "../../src/subscribers/add.ts";
import { confirm, readConfirmation } from "../../src/subscribers/confirm.ts";
import { erase } from "../../src/subscribers/erase.ts";
import { handleSignups, requestSignup, type SignupRequest } from "../../src/subscribers/signup.ts";
import { confirmLink, expiringToken } from "../../src/subscribers/tokens.ts";
import { addNotice, noticeTable } from "../../src/subscribers/notices.ts";
import { personalData } from "../../src/subscribers/personal-data.ts";
import { lookAfterReaders } from "../../src/alerts/recover.ts";
import { requestSampleMail } from "../../src/subscribers/request-mail.ts";
import { sendNotices } from "../../src/notices/send.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { unsubscribe } from "../../src/subscribers/leave.ts";
import { suppressAddress } from "../../src/subscribers/suppressions.ts";
import { movedClock } from "../support/clock.ts";
import { openWorld, type World } from "../support/world.ts";
import type { ErrorCode } from "../../src/texts/catalogue.ts";

const clock = movedClock("2026-11-24T08:00:00Z");
let world: World;
/** What the relay answers, and what it was given. */
let verdict: Verdict = { kind: "sent", reply: "250 2.0.0 kept" };
let sent: string[] = [];

beforeAll(async () => {
  world = await openWorld({ clock });
  const { app } = world;
  const article = {
    guid: null,
    url: "https://news.example/1",
    title: "One",
    summary: "",
    publishedAt: null,
    origin: null,
  };
  await ingest(app, await apiSource(app.db, clock.now()), [{ ...article, tags: ["lg u+", "한국"] }]);
  app.mayMail = async () => true;
  vi.spyOn(app.transport, "send").mockImplementation(async ({ to }) => {
    sent.push(to);
    app.transport.release(1);
    return verdict;
  });
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.app.db.deleteFrom("notices").execute();
  sent = [];
  verdict = { kind: "sent", reply: "250 2.0.0 kept" };
});

const request: SignupRequest = {
  address: "new@example.org",
  tags: ["LG U+"],
  allTags: false,
  timezone: null,
  formUrl: "https://news.example/article",
  from: "192.0.2.7",
};
const send = () => sendNotices(world.app, new AbortController().signal);
const look = () => lookAfterReaders(world.app);
const sweep = (policy: "hold" | "resend") =>
  sweepDeadClaims(world.app.db, { silentMs: 30_000, now: clock.now(), self: world.app.sender, policy });
const notices = () =>
  world.app.db
    .selectFrom("notices")
    .select(["kind", "state", "address", "reason_code", "reply"])
    .orderBy("id")
    .execute();
const count = async (table: "signups" | "subscribers" | "consents" | "notices") =>
  (await world.app.db.selectFrom(table).selectAll().execute()).length;

/** Signs an address up as far as its notice, and gives the token of its newest request. */
async function askFor(address: string): Promise<string> {
  const { app } = world;
  await requestSignup(app, { ...request, address });
  await handleSignups(app);
  const { key } = await app.db
    .selectFrom("consents")
    .innerJoin("subscribers", "subscribers.id", "consents.subscriber_id")
    .select("consents.key")
    .where("address", "=", address)
    .orderBy("consents.id", "desc")
    .executeTakeFirstOrThrow();
  return confirmLink(app.options, key!, clock.now()).split("/").at(-1)!;
}

test.each<[string, Partial<SignupRequest>, ErrorCode]>([
  ["a wrong address", { address: "nobody" }, "address_invalid"],
  ["a name that cannot be a tag", { tags: ["x".repeat(300)] }, "tag_not_a_name"],
  ["too many new tags", { tags: Array.from({ length: 31 }, (_, n) => `new ${n}`) }, "too_many_new_tags"],
  ["nothing to follow", { tags: [] }, "no_tag_chosen"],
  ["a wrong zone", { timezone: "Mars/Base" }, "timezone_invalid"],
])("%s is refused, and nothing is kept", async (_what, wrong, code) => {
  await expect(requestSignup(world.app, { ...request, ...wrong })).rejects.toMatchObject({
    status: 422,
    code,
  });
  expect(await count("signups")).toBe(0);
});

test("whatever is known of an address, its sign-up is one row and nothing else until the job", async () => {
  const { app } = world;
  const add = (address: string) =>
    addSubscriber(app, { address, tags: [], allTags: true, confirmed: true, actor: "test" });
  await add("active@example.org");
  await unsubscribe(app.db, (await add("left@example.org")).id, clock.now());
  await add("complained@example.org");
  await suppressAddress(app, { address: "complained@example.org", reason: "complaint", detail: null, actor: "test" });
  await askFor("pending@example.org");
  const before = [await count("subscribers"), await count("consents"), await count("notices")];
  const wake = vi.spyOn(app, "wake");
  const kinds = ["fresh", "pending", "active", "left", "complained"].map((kind) => `${kind}@example.org`);
  for (const address of kinds) await requestSignup(app, { ...request, address });
  expect(await count("signups")).toBe(kinds.length);
  expect([await count("subscribers"), await count("consents"), await count("notices")]).toEqual(before);
  expect(wake.mock.calls).toEqual(kinds.map(() => ["handle-signup", {}]));
  wake.mockRestore();

  await app.db.deleteFrom("notices").execute();
  await Promise.all([handleSignups(app), handleSignups(app)]);
  expect(await count("signups")).toBe(0);
  expect((await notices()).map(({ kind, address }) => `${address.split("@")[0]} ${kind}`)).toEqual([
    "fresh confirm",
    "pending confirm",
    "active already",
    "left confirm",
  ]);
});

test("an address that was asked often enough gets no mail, and no row", async () => {
  const often = { ...world.app, mayMail: async () => false };
  await requestSignup(world.app, { ...request, address: "often@example.org" });
  await handleSignups(often);
  expect([await count("signups"), await count("notices")]).toEqual([0, 0]);
  expect(await findByAddress(world.app.db, "often@example.org")).toBeNull();
});

test("a link that was used leads on for as long as it works, and then says that it has done its work", async () => {
  const { app } = world;
  const token = await askFor("used@example.org");
  await confirm(app, token, null);
  expect(await readConfirmation(app, token)).toMatchObject({ confirmed: true });
  expect(await confirm(app, token, null)).toMatchObject({ status: "active" });
  clock.advance(48 * 3_600_000 + 1_000);
  for (const act of [() => readConfirmation(app, token), () => confirm(app, token, null)])
    await expect(act()).rejects.toMatchObject({ status: 410, code: "confirm_link_used" });
});

test("a link works for 48 hours, for its purpose, and as long as there is something to confirm", async () => {
  const { app } = world;
  const token = await askFor("link@example.org");
  const reader = (await findByAddress(app.db, "link@example.org"))!;
  const elsewhere = expiringToken(app.options.secret, "change-address", reader.key, clock.now());
  expect(await readConfirmation(app, elsewhere)).toBeNull();
  expect(await readConfirmation(app, `${token.slice(0, -4)}AAAA`)).toBeNull();
  clock.advance(48 * 3_600_000 + 1_000);
  for (const act of [() => readConfirmation(app, token), () => confirm(app, token, null)]) {
    await expect(act()).rejects.toMatchObject({ status: 410, code: "confirm_link_expired" });
  }
  const again = await askFor("link@example.org");
  await erase(app, reader.id);
  expect(await readConfirmation(app, again)).toBeNull();
  await expect(confirm(app, again, null)).rejects.toMatchObject({ status: 404 });
});

test("the consent record tells what was asked, where, in which words, and how it was confirmed", async () => {
  const { app } = world;
  await confirm(app, await askFor("proof@example.org"), "2001:db8::8");
  const reader = (await findByAddress(app.db, "proof@example.org"))!;
  const data = await personalData(app, reader.id);
  expect(data).toMatchObject({
    subscriber: { address: "proof@example.org", status: "active", tags: ["lg u+"] },
    suppressed: null,
    consents: [
      {
        method: "form",
        wording: expect.stringContaining("Send me Telecom Daily’s daily email"),
        wordingVersion: expect.any(String),
        tags: ["lg u+"],
        formUrl: "https://news.example/article",
        requestedFrom: "192.0.2.7",
        confirmedFrom: "2001:db8::8",
      },
    ],
    otherMails: [{ kind: "confirm" }, { kind: "welcome" }],
  });
  expect(JSON.stringify(data)).not.toContain(reader.key.toString("hex"));
});

/** What of a reader's rows is no data about them, but the program's own: numbers, keys, hashes, and what others are called. */
const ownNumbers =
  /^(?:.*_?id|key|tag_ids|claim|slice|address_hash|address_key|taken_at|actor|subject|detail|came_from)$/;

test("a reader's export leaves out no column of any row about them", async () => {
  const { app } = world;
  const { db } = app;
  const { id } = await addSubscriber(app, {
    address: "whole@example.org",
    tags: ["lg u+"],
    allTags: false,
    confirmed: true,
    actor: "ada",
  });
  const at = (n: number): Date => new Date(Date.UTC(2001, 0, n));
  await sql`update subscribers set timezone = 'Asia/Seoul', paused_until = ${at(1)}, left_at = ${at(2)} where id = ${id}`.execute(
    db,
  );
  await sql`update consents set wording = 'I want', wording_version = 'v7', form_url = 'https://form.example/',
    requested_from = '192.0.2.31', confirmed_from = '192.0.2.32', timezone = 'Asia/Tokyo' where subscriber_id = ${id}`.execute(
    db,
  );
  await sql`insert into address_changes (key, subscriber_id, address, address_key, created_at, requested_from)
    values ('0123456789abcdef', ${id}, 'other@example.org', 'other@example.org', ${at(3)}, '192.0.2.33')`.execute(db);
  await sql`insert into notices (kind, subscriber_id, address, payload, state, attempts, claimed_at, due_at, created_at,
      expires_at, settled_at, reply)
    values ('welcome', ${id}, 'whole@example.org', '{"tags": ["of the mail"]}', 'rejected', 41, ${at(4)}, ${at(5)}, ${at(6)}, ${at(7)},
      ${at(8)}, '550 5.7.1 of the mail')`.execute(db);
  await sql`insert into signups (address, address_key, tag_ids, all_tags, timezone, form_url, wording_version, requested_at,
      requested_from)
    select 'Whole@example.org', 'whole@example.org', array[id], true, 'Asia/Macau', 'https://wait.example/', 'v8', ${at(9)}, '192.0.2.34'
    from tags where key = '한국'`.execute(db);
  await suppressAddress(app, { address: "whole@example.org", reason: "asked by post", detail: "in May", actor: "ada" });
  await sql`with e as (
      insert into editions (date, number, state, timezone, due_at, opened_at)
      values ('2001-02-03', 1, 'finished', 'UTC', ${at(10)}, ${at(10)}) returning id
    ), c as (insert into cohorts (edition_id, positions, readers) select id, '{0}', 1 from e returning id, edition_id)
    insert into deliveries (edition_id, subscriber_id, cohort_id, slice, tag_ids, state, attempts, claimed_at, due_at, leaves_at,
      settled_at, domain, reply)
    select edition_id, ${id}, id, 0, '{1}', 'sent', 43, ${at(11)}, ${at(12)}, ${at(13)}, ${at(14)}, 'then.example', '250 of the edition' from c`.execute(
    db,
  );

  const told = JSON.stringify(await personalData(app, id));
  const rows = {
    subscribers: sql`id = ${id}`,
    consents: sql`subscriber_id = ${id}`,
    deliveries: sql`subscriber_id = ${id}`,
    notices: sql`subscriber_id = ${id}`,
    address_changes: sql`subscriber_id = ${id}`,
    signups: sql`address_key = 'whole@example.org'`,
    suppressions: sql`reason = 'asked by post'`,
    audit: sql`subject = ${`subscriber ${id}`}`,
  };
  for (const [table, those] of Object.entries(rows)) {
    const found = await sql<Record<string, unknown>>`select * from ${sql.table(table)} where ${those}`.execute(db);
    expect(found.rows.length, table).toBeGreaterThan(0);
    for (const row of found.rows) {
      for (const [column, value] of Object.entries(row)) {
        if (ownNumbers.test(column) && !(table === "suppressions" && column === "detail")) continue;
        expect(told, `${table}.${column}`).toContain(JSON.stringify(value));
      }
    }
  }
  expect(told).toContain('"tags":["한국"]');
  await erase(app, id);
});

test("no table has a trace of a reader who was erased, whatever an operator wrote about them", async () => {
  const { app } = world;
  const { pool } = app.database;
  const address = "traces@example.org";
  const { id } = await confirm(app, await askFor(address), "192.0.2.41");
  await requestSampleMail(app, { address: "Traces@example.org", tags: [] });
  await requestSignup(app, { ...request, address, from: "192.0.2.42" });
  const noted = { reason: "wrote from traces@example.org", detail: "Traces@Example.org wants no mail" };
  await suppressAddress(app, { address, ...noted, actor: "ada" });
  await erase(app, id);
  const { rows: tables } = await pool.query<{ name: string }>(
    "select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables where schemaname in ('public', 'bullmq')",
  );
  for (const { name } of tables) {
    const { rows } = await pool.query(`select 1 from ${name} t where t::text ~* 'traces|192[.]0[.]2[.]4[12]'`);
    expect(rows, name).toEqual([]);
  }
});

test("a relay that says of everybody that they do not exist keeps nobody out who signs up", async () => {
  const { app } = world;
  const status = async (address: string) => (await findByAddress(app.db, address))?.status;
  verdict = { kind: "rejected", scope: "address", reply: "550 5.1.1 no such user" };
  const newcomers = ["n1@example.org", "n2@example.org", "n3@example.org"];
  for (const address of newcomers) await askFor(address);
  await confirm(app, await askFor("welcome@example.org"), null);
  await send();
  const refused = (await notices()).filter(({ state }) => state === "rejected").map(({ kind }) => kind);
  expect(refused).toEqual(["confirm", "confirm", "confirm", "welcome"]);
  for (const address of newcomers) expect(await status(address)).toBe("pending");
  expect(await status("welcome@example.org")).toBe("active");
  const vouched = { tags: [], allTags: true, confirmed: true, actor: "ada" };
  expect(await addSubscriber(app, { ...vouched, address: "n1@example.org" })).toMatchObject({ status: "active" });
});

test("what is put off goes later, what is lost does not go again, and what nobody could send ends", async () => {
  verdict = { kind: "deferred", scope: "address", reply: "450 4.2.1 later" };
  await askFor("slow@example.org");
  await send();
  await send();
  expect(sent).toEqual(["slow@example.org"]);
  clock.advance(31 * 60_000);
  verdict = { kind: "unknown", reply: "no answer" };
  await send();
  await look();
  await send();
  expect(sent).toHaveLength(2);
  expect(await notices()).toMatchObject([{ state: "unknown" }]);

  await askFor("late@example.org");
  clock.advance(25 * 3_600_000);
  await look();
  await send();
  expect(sent).toHaveLength(2);
  expect((await notices()).at(-1)).toMatchObject({ state: "expired" });
});

test("a claim that its process left behind is found, and is not sent a second time", async () => {
  const { app } = world;
  await askFor("crash@example.org");
  const dead = "00000000-0000-4000-8000-000000000000";
  await app.db.updateTable("notices").set({ state: "sending", claim: dead }).execute();
  await sweep("hold");
  await look();
  await send();
  expect(await notices()).toMatchObject([{ state: "unknown", reason_code: "sender_stopped", reply: null }]);
  expect(sent).toEqual([]);
});

test.each([
  ["hold", "unknown"],
  ["resend", "deferred"],
] as const)(
  "with UNKNOWN_POLICY=%s a dead sender's notice is %s, and its true answer still counts",
  async (policy, state) => {
    const { app } = world;
    const table = noticeTable;
    const slow = createLedger({ db: app.db, clock, log: silentLog, sender: randomUUID(), most: 1, table });
    await askFor("slow-sender@example.org");
    const [claimed] = (await slow.claim({ count: () => 1 })).claimed;
    await sweep(policy);
    expect(await notices()).toMatchObject([{ state, reason_code: "sender_stopped", reply: null }]);
    await send();
    expect(sent).toEqual([]);
    slow.record({ id: claimed!.id, state: "sent", reply: "250 2.0.0 kept", dueAt: null });
    await slow.close(1_000);
    clock.advance(31 * 60_000);
    await send();
    expect(sent).toEqual([]);
    expect(await notices()).toMatchObject([{ state: "sent", reason_code: null, reply: "250 2.0.0 kept" }]);
  },
);

test("what a mail is about is looked at again when it goes out", async () => {
  const { app } = world;
  await askFor("second-thoughts@example.org");
  await suppressAddress(app, {
    address: "second-thoughts@example.org",
    reason: "complaint",
    detail: null,
    actor: "test",
  });
  const gone = await addSubscriber(app, {
    address: "gone@example.org",
    tags: [],
    allTags: true,
    confirmed: true,
    actor: "test",
  });
  await addNotice(app.db, { kind: "already", subscriberId: gone.id, address: gone.address }, clock.now());
  await unsubscribe(app.db, gone.id, clock.now());
  await send();
  expect(sent).toEqual([]);
  expect((await notices()).map(({ state }) => state)).toEqual(["skipped", "skipped"]);
});

test("one sample copy an hour goes to an address, whoever asks; an editor's own, of an edition, is not counted", async () => {
  const { app } = world;
  const asked: unknown[][] = [];
  const capped = { ...app, mayMail: async (...call: unknown[]) => asked.push(call) === 1 };
  for (const edition of [{}, {}, { edition: "next" }]) {
    await requestSampleMail(capped, { address: "Look@example.org", tags: [], ...edition });
  }
  expect(await notices()).toHaveLength(3);
  verdict = { kind: "deferred", scope: "relay", reply: "421 4.3.2 later" };
  await sendNotices(capped, new AbortController().signal);
  verdict = { kind: "sent", reply: "250 2.0.0 kept" };
  clock.advance(31 * 60_000);
  await sendNotices(capped, new AbortController().signal);
  expect((await notices()).map(({ state }) => state)).toEqual(["sent", "skipped", "sent"]);
  expect(asked).toEqual([1, 2].map(() => ["look@example.org", undefined, "sample"]));
});

test("whoever was erased gets the sample copy that they ask for, as they can sign up again", async () => {
  const { app } = world;
  const { id } = await confirm(app, await askFor("looks-again@example.org"), null);
  await erase(app, id);
  sent = [];
  await requestSampleMail(app, { address: "looks-again@example.org", tags: [] });
  await sendNotices(app, new AbortController().signal);
  expect(sent).toEqual(["looks-again@example.org"]);
});

test("who has not confirmed within a week is forgotten, unless they asked again", async () => {
  const { app } = world;
  await askFor("forgotten@example.org");
  await askFor("persistent@example.org");
  clock.advance(6 * 24 * 3_600_000);
  await askFor("persistent@example.org");
  clock.advance(24 * 3_600_000 + 1_000);
  await retain(app);
  expect(await findByAddress(app.db, "forgotten@example.org")).toBeNull();
  expect((await findByAddress(app.db, "persistent@example.org"))?.status).toBe("pending");
  expect((await findByAddress(app.db, "proof@example.org"))?.status).toBe("active");
  expect((await notices()).map(({ address }) => address)).not.toContain("forgotten@example.org");
});
