import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import iconv from "iconv-lite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findEdition } from "../../src/editions/store.ts";
import { editReader } from "../../src/subscribers/edit.ts";
import { confirm } from "../../src/subscribers/confirm.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { buildWeb } from "../../src/web/build.ts";
import { startWorker, type RunningWorker } from "../../src/worker.ts";
import { movedClock } from "../support/clock.ts";
import { readMail } from "../support/reading.ts";
import { signUps } from "../support/sign-up.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { textOf } from "../support/text.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

/** Ten to eleven at night in Seoul, an hour after the feed's newest article. */
const clock = movedClock("2027-01-15T13:50:00Z");
let site: Server;
let sink: Sink;
let world: World;
let worker: RunningWorker;
let web: ReturnType<typeof buildWeb>;

const item = (title: string, date: string, category: string): string =>
  `<item><title>${title}</title><link>http://site.example/${encodeURIComponent(title)}</link>` +
  `<pubDate>${date}</pubDate><category>${category}</category><description>${title}에 관한 기사입니다.</description></item>`;

const feed = iconv.encode(
  `<?xml version="1.0" encoding="euc-kr"?><rss version="2.0"><channel><title>서울통신</title><link>http://site.example/</link>` +
    item("LG유플러스, 화웨이 장비 재검토", "2027-01-15 22:30:00", "ＬＧ Ｕ＋") +
    item("정부, 5G 주파수 경매", "2027년 1월 15일 오후 9:05", "정책") +
    item("지난달 소식", "2026.12.01", "정책") +
    `</channel></rss>`,
  "euc-kr",
);

beforeAll(async () => {
  // The server says Latin-1, as many do. The document says EUC-KR.
  site = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/xml; charset=iso-8859-1" }).end(feed);
  }).listen(0, "127.0.0.1");
  await once(site, "listening");
  sink = await startSink();
  const SOURCES = `http://127.0.0.1:${(site.address() as AddressInfo).port}/feed.xml`;
  const settings = { LANGUAGE: "ko", TIMEZONE: "Asia/Seoul", SEND_AT: "07:00", SMTP_URL: sink.url, SOURCES };
  world = await openWorld({ clock, env: settings });
  web = buildWeb(world.app);
  worker = await startWorker(world.app);
  await eventually("the feed was read", async () => {
    const articles = await world.app.db.selectFrom("articles").select("id").execute();
    return articles.length === 3;
  });
});

afterAll(async () => {
  await worker?.stop();
  await web?.close();
  await world?.close();
  await sink?.close();
  site?.close();
});

async function mailsTo(address: string, count: number) {
  const own = () => sink.messages.filter(({ to }) => to === address);
  await eventually(`${address} has ${count} emails`, async () => own().length >= count);
  return Promise.all(own().map((one) => readMail(one)));
}

async function send(at: string) {
  clock.set(at);
  await world.app.wake("recover", {});
  return eventually("the edition is finished", async () => {
    const edition = await findEdition(
      world.app.db,
      new Date(clock.now().getTime() + 9 * 3_600_000).toISOString().slice(0, 10),
    );
    return edition?.state === "finished" ? edition : null;
  });
}

test("a Seoul site with an EUC-KR feed and its reader in Paris", async () => {
  // Dates without a zone are Seoul's, and last month's article is backlog.
  const articles = await world.app.db
    .selectFrom("articles")
    .select(["title", "published_at", "backlog"])
    .orderBy("id")
    .execute();
  expect(articles.map(({ title, published_at, backlog }) => [title, published_at?.toISOString(), backlog])).toEqual([
    ["LG유플러스, 화웨이 장비 재검토", "2027-01-15T13:30:00.000Z", false],
    ["정부, 5G 주파수 경매", "2027-01-15T12:05:00.000Z", false],
    ["지난달 소식", "2026-11-30T15:00:00.000Z", true],
  ]);
  // Full-width forms are the same tag as the reader's.
  const form = (await web.inject({ url: "/subscribe?tags=lg%20u%2B,%20정책" })).body;
  expect(form).toContain(textOf("subscribe.title", {}, "ko"));
  expect(form).toContain('lang="ko"');

  const answer = await signUps({ app: world.app, web }).send({
    address: "camille@example.fr",
    fields: { all: null, tags: "LG U+", timezone: "" },
  });
  expect(answer.statusCode).toBeLessThan(400);
  const [ask] = await mailsTo("camille@example.fr", 1);
  expect(ask!.subject).toBe(textOf("notice.confirm.subject", { publication: "Telecom Daily" }, "ko"));
  const token = /alerts\.example\/confirm\/([\w-]+)/.exec(ask!.text)![1]!;
  expect(await confirm(world.app, token, "192.0.2.8")).toMatchObject({ status: "active", timezone: null });
  await mailsTo("camille@example.fr", 2);

  // Seoul's seven o'clock is eleven at night in Paris, and the edition comes then.
  const edition = await send("2027-01-15T22:00:10Z");
  expect(edition).toMatchObject({ date: "2027-01-16", articles: 2, selected: 1 });
  const mails = await mailsTo("camille@example.fr", 3);
  expect(mails[2]!.headlines).toEqual(["LG유플러스, 화웨이 장비 재검토"]);
  expect(mails[2]!.text).toContain("LG유플러스");

  const page = (await web.inject({ url: "/editions/2027-01-16" })).body;
  expect(page).toContain("정부, 5G 주파수 경매");
  expect(page).toContain("data-print");

  const reader = (await findByAddress(world.app.db, "camille@example.fr"))!;
  await editReader(world.app, { id: reader.id, actor: "operator", tags: ["정책"] });
  const changed = await findByAddress(world.app.db, "camille@example.fr");
  expect(changed?.tags).toEqual(["정책"]);
});
