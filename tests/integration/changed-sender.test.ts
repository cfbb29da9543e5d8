import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { App } from "../../src/app.ts";
import { migrate } from "../../src/db/migrate.ts";
import { deliverSlice } from "../../src/deliveries/deliver-slice.ts";
import { actOnEdition } from "../../src/editions/operator-actions.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { movedClock } from "../support/clock.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSink, type Answer, type Sink } from "../support/sink.ts";
import { openWorld } from "../support/world.ts";
import { databaseBefore } from "../support/database-before.ts";

const clock = movedClock("2026-11-24T07:00:00Z");
// Starts the embedded engine twice.
const limitMs = 120_000;
const stay = new AbortController().signal;
let dataDir: string;
let sink: Sink;
let refusal: Answer = null;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "dayletter-sender-"));
  sink = await startSink({ onRcpt: (to) => (to.startsWith("later") ? refusal : null) });
});
afterAll(async () => {
  await sink.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const openAs = (from: string) => openWorld({ clock, dataDir, env: { SMTP_URL: sink.url, MAIL_FROM: from } });

/** What the relay got for an address. */
async function mailTo(address: string) {
  const message = sink.messages.find(({ to }) => to === address);
  const { from, messageId, headers } = await simpleParser(message!.raw);
  return {
    envelope: message!.from,
    from: from?.value[0],
    messageId,
    list: JSON.stringify(headers.get("list")),
    feedback: JSON.stringify(headers.get("feedback-id")),
  };
}

test(
  "an edition paused while MAIL_FROM changes goes on with the new sender in header and envelope, and its old Message-IDs",
  async () => {
    const before = await openAs("Old Name <old@first.example>");
    await addAllNewsReaders(before.app, ["now@example.org", "later@example.org"]);
    await addArticle(before.app, "News");
    const { id, date } = await sendNow(before.app, { extra: false, actor: "test" });
    await renderEdition(before.app, id);
    refusal = "451 4.2.0 try again later";
    await deliverSlice(before.app, { editionId: id, slice: 0 }, stay);
    await actOnEdition(before.app, { date, number: 1, action: "pause", actor: "test" });
    const row = await before.app.db
      .selectFrom("subscribers")
      .select(["address", "key"])
      .where("address", "=", "later@example.org")
      .executeTakeFirstOrThrow();
    const builder = await before.app.builder(id);
    const delivery = { positions: [0], tagIds: [], address: row.address, key: row.key };
    const { messageId } = await simpleParser(builder!.print(delivery, clock.now()));
    await before.close();

    refusal = null;
    clock.set("2026-11-24T09:00:00Z");
    const after = await openAs("New Name <new@second.example>");
    await actOnEdition(after.app, { date, number: 1, action: "resume", actor: "test" });
    await deliverSlice(after.app, { editionId: id, slice: 0 }, stay);
    await after.close();

    expect(await mailTo("now@example.org")).toMatchObject({
      envelope: "old@first.example",
      from: { address: "old@first.example", name: "Old Name" },
    });
    const mail = await mailTo("later@example.org");
    expect(mail).toMatchObject({
      envelope: "new@second.example",
      from: { address: "new@second.example", name: "New Name" },
      messageId,
    });
    expect(messageId).toContain("@first.example");
    expect(mail.list).toContain("daily.second.example");
    expect(mail.feedback).toContain("daily.second.example:secondexample");
  },
  limitMs,
);

test(
  "an edition keeps its number of articles while MAX_ARTICLES changes, and the next one has the new number",
  async () => {
    const own = mkdtempSync(join(tmpdir(), "dayletter-most-"));
    const open = (most: string) => openWorld({ clock, dataDir: own, env: { MAX_ARTICLES: most } });
    const delivery = { positions: [0, 1, 2], tagIds: [], address: "a@example.org" };
    const start = async (app: App, extra: boolean) => {
      for (const title of ["One", "Two", "Three"])
        await addArticle(app, title, `https://news.example/${title}-${app.config.maxArticles}`);
      const { id } = await sendNow(app, { extra, actor: "test" });
      await renderEdition(app, id);
      return id;
    };
    const titles = async (app: App, id: number) => {
      const { key } = await app.db.selectFrom("subscribers").select("key").executeTakeFirstOrThrow();
      const { text = "" } = await simpleParser((await app.builder(id))!.print({ ...delivery, key }, clock.now()));
      return ["One", "Two", "Three"].filter((title) => text.includes(`${title}\n`)).length;
    };

    const before = await open("2");
    await addAllNewsReaders(before.app, ["a@example.org"]);
    const id = await start(before.app, false);
    expect(await titles(before.app, id)).toBe(2);
    await before.close();
    const after = await open("1");
    expect(await titles(after.app, id)).toBe(2);
    expect(await titles(after.app, await start(after.app, true))).toBe(1);
    await after.close();
    rmSync(own, { recursive: true, force: true });
  },
  limitMs,
);

test(
  "a stencil of the release before loses its sender, and an edition that was begun keeps its Message-IDs' domain",
  async () => {
    const { pool, close } = await databaseBefore(14);
    const stencil = JSON.stringify({
      version: 1,
      mode: "edition",
      head: { from: "From: Old Name\r\n <old@First.example>\r\n", fixed: "List-Id: <daily.first.example>\r\n" },
      feedbackId: "a:b:c:firstexample",
      boundary: "=_dayletter",
      title: "Title",
    });
    for (const number of [1, 2]) {
      await pool.query(
        `insert into editions (date, number, state, timezone, due_at, opened_at, stencil) values ('2026-11-24', $1, 'paused', 'UTC', now(), now(), $2)`,
        [number, stencil],
      );
    }
    await pool.query(
      `with c as (insert into cohorts (edition_id, positions, readers) values (1, '{0}', 1) returning id)
     insert into deliveries (edition_id, cohort_id, slice, state, attempts, tag_ids, domain) select 1, id, 0, 'deferred', 1, '{}', 'example.org' from c`,
    );
    await migrate(pool);
    const { rows } = await pool.query("select mail_domain, stencil from editions order by number");
    const now = { version: 2, mode: "edition", boundary: "=_dayletter", title: "Title" };
    expect(rows).toEqual([
      { mail_domain: "first.example", stencil: now },
      { mail_domain: null, stencil: now },
    ]);
    await pool.end();
    await close();
  },
  limitMs,
);
