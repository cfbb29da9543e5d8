import type { FastifyInstance } from "fastify";
import { sql } from "kysely";
import { simpleParser } from "mailparser";
import { ingest } from "../../src/articles/ingest.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { apiSource } from "../../src/sources/store.ts";
import { addQuestions } from "../../src/subscribers/questions.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { buildWeb } from "../../src/web/build.ts";
import { startWorker } from "../../src/worker.ts";
import { movedClock } from "./clock.ts";
import { signUps } from "./sign-up.ts";
import { startSink } from "./sink.ts";
import { eventually, openWorld, type World } from "./world.ts";

/** A server after a reader's whole life, and every link to it that the mails held. Nothing runs in it any more. */
export interface EveryMail {
  world: World;
  web: FastifyInstance;
  /** Paths, by the subject of the mail they came in. */
  links: Map<string, string[]>;
  /** What they said, by the same. */
  texts: Map<string, string>;
  /** Everything in the records, to see whether anything changed. */
  records(): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** What a spammer would like to see in a mail from us. */
export const spam = {
  name: "Cheap-Pills",
  formUrl: "https://spam.example/Cheap-Pills",
  wording: "Cheap-Pills",
  q: "Cheap-Pills",
};

const site = "https://alerts.example";

/** Has every kind of mail sent: confirm, welcome, already, settings, question, sample, change of address, edition; some links are still open. */
export async function sendEveryMail(): Promise<EveryMail> {
  const sink = await startSink();
  const clock = movedClock("2026-11-24T08:00:00Z");
  const world = await openWorld({ clock, env: { SMTP_URL: sink.url, PUBLIC_URL: site } });
  const { app } = world;
  const web = buildWeb(app);
  const worker = await startWorker(app);
  const form = signUps({ app, web });
  const texts = new Map<string, string>();

  const mail = async (to: string, count = 1): Promise<string> => {
    const own = () => sink.messages.filter((message) => message.to === to);
    await eventually(`${to} has ${count} mails`, async () => own().length >= count);
    const { subject = "", html, text, headers } = await simpleParser(own()[count - 1]!.raw);
    const all = `${html || ""}\n${text}\n${JSON.stringify(headers.get("list"))}`;
    texts.set(`${to}: ${subject}`, all);
    return all;
  };
  const builder = async (path: string, fields: Record<string, string> = {}): Promise<void> => {
    const answer = await web.inject({
      method: "POST",
      url: path,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      payload: new URLSearchParams(fields).toString(),
    });
    if (answer.statusCode >= 400) throw new Error(`${path} answered ${answer.statusCode}: ${answer.body}`);
  };
  const linkTo = (text: string, page: string): string => linksIn(text).find((path) => path.startsWith(`/${page}/`))!;

  const article = {
    guid: null,
    url: "https://news.example/1",
    title: "US concerns over LG U+",
    summary: "",
    origin: null,
  };
  await ingest(app, await apiSource(app.db, clock.now()), [
    { ...article, tags: ["lg u+", "Korea"], publishedAt: null },
  ]);
  await form.send({ address: "ada@example.org" });
  await builder(linkTo(await mail("ada@example.org"), "confirm"));
  await mail("ada@example.org", 2); // welcome
  await form.forget();
  await form.send({ address: "ada@example.org" });
  const already = await mail("ada@example.org", 3);
  await builder(`${linkTo(already, "unsubscribe")}/settings`);
  await mail("ada@example.org", 4);
  const ada = (await findByAddress(app.db, "ada@example.org"))!;
  const asked = { id: ada.id, address: ada.address, cause: "silence", dueAt: clock.now() } as const;
  await app.db.transaction().execute((tx) => addQuestions(tx, [asked], clock.now()));
  await app.wake("send-notices", {});
  await mail("ada@example.org", 5);
  const { t } = (await web.inject({ method: "GET", url: "/embed/form" })).json<{ t: string }>();
  clock.advance(10_000);
  await builder("/sample", { address: "sample@example.org", t, website: "" });
  await mail("sample@example.org");
  await builder(`${linkTo(already, "preferences")}/address`, { address: "lovelace@example.org", t, website: "" });
  await mail("lovelace@example.org");
  await form.send({ address: "bob@example.org", fields: spam, headers: { referer: spam.formUrl } });
  await mail("bob@example.org");
  await sendNow(app, { extra: false, actor: "test" });
  await mail("ada@example.org", 6); // edition
  await worker.stop();

  return {
    world,
    web,
    texts,
    links: new Map(Array.from(texts, ([name, text]) => [name, linksIn(text)])),
    records: () => readRecords(world),
    async close() {
      await web.close();
      await world.close();
      await sink.close();
    },
  };
}

function linksIn(text: string): string[] {
  const found = [...text.matchAll(/https:\/\/alerts\.example(\/[^\s"'<>\\)]*)?/g)].map((match) => match[1] ?? "/");
  return [...new Set(found.map((path) => path.replaceAll("&amp;", "&")))];
}

async function readRecords({ app }: World): Promise<Record<string, unknown>> {
  const { rows } = await sql<{ name: string }>`
    select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
    where schemaname in ('public', 'bullmq') order by name`.execute(app.db);
  const tables: Record<string, unknown> = {};
  for (const { name } of rows) {
    const all = await sql`select to_jsonb(t) as row from ${sql.raw(name)} t order by to_jsonb(t)::text`.execute(app.db);
    tables[name] = all.rows;
  }
  return tables;
}
