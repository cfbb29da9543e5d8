import { readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterEach, expect, it } from "vitest";
import { parseFeed } from "../../src/sources/parse.ts";
import { openFeedParser, type FeedParser } from "../../src/sources/parser-thread.ts";

const url = "https://feeds.example/feed.xml";
const open: FeedParser[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((parser) => parser.close()));
});

function parserWith(limits: Parameters<typeof openFeedParser>[0] = {}): FeedParser {
  const parser = openFeedParser(limits);
  open.push(parser);
  return parser;
}

function rss(items: string): { bytes: Uint8Array; contentType: string | null; url: string } {
  const text = `<rss version="2.0"><channel><title>T</title><link>https://site.example/</link>${items}</channel></rss>`;
  return { bytes: Buffer.from(text), contentType: null, url };
}

const small = rss("<item><title>One</title><link>/1</link><pubDate>2024-01-01</pubDate></item>");
/** Takes seconds: each description is 20,000 characters of markup. */
const slow = rss(
  `<item><title>x</title><link>/a</link><description>${"&lt;p&gt;".repeat(2_500)}</description></item>`.repeat(900),
);

it("reads what parseFeed reads, in the encoding of the document", async () => {
  const bytes = readFileSync(join(import.meta.dirname, "../fixtures/feeds/euc-kr.xml"));
  const feed = await parserWith().parse({ bytes, contentType: null, url });
  expect(feed.items).toMatchObject([{ title: "한국 뉴스", tags: ["lg u+"] }]);
  const { parse } = parserWith();
  expect(await parse(small)).toEqual(parseFeed(Buffer.from(small.bytes).toString(), url));
});

it("refuses as parseFeed does", async () => {
  const bytes = Buffer.from("<html><body>Not found</body></html>");
  await expect(parserWith().parse({ bytes, contentType: "text/html", url })).rejects.toMatchObject({
    name: "Refusal",
    status: 422,
    code: "feed_is_web_page",
    details: { url },
  });
});

it("keeps the event loop free", async () => {
  const { parse } = parserWith({ parseMs: 60_000 });
  await parse(small);
  const before = performance.eventLoopUtilization();
  await parse(slow);
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
});

it("ends a document that takes too long, and reads the next one", async () => {
  const { parse } = parserWith({ parseMs: 500 });
  const [late, next] = await Promise.allSettled([parse(slow), parse(rss("<item/>"))]);
  expect(late).toMatchObject({ status: "rejected", reason: { name: "Refusal", status: 422, code: "feed_too_slow" } });
  expect(next).toMatchObject({ status: "fulfilled", value: { title: "T" } });
});

it("ends a document that takes too much memory, and reads the next one", async () => {
  const { parse } = parserWith({ memoryMb: 48, parseMs: 60_000 });
  const many = rss("<item><title>x</title><link>/a</link></item>".repeat(200_000));
  const [large, next] = await Promise.allSettled([parse(many), parse(small)]);
  expect(large).toMatchObject({
    reason: { name: "Refusal", status: 422, code: "feed_too_complex" },
  });
  expect(next).toMatchObject({ value: { items: [{ title: "One" }] } });
});

it("lets a caller give up while another document is read, and reads the others", async () => {
  const { parse } = parserWith();
  const first = parse(small);
  await expect(parse(slow, AbortSignal.abort())).rejects.toMatchObject({ name: "Refusal", status: 502 });
  const stop = new AbortController();
  const given = parse(slow, stop.signal);
  const last = parse(small);
  expect(await first).toHaveProperty("title", "T");
  stop.abort();
  await expect(given).rejects.toMatchObject({ name: "Refusal", status: 502 });
  expect(await last).toHaveProperty("title", "T");
});

it("starts again after a pause", async () => {
  const { parse } = parserWith({ idleMs: 0 });
  expect(await parse(small)).toEqual(await parse(small));
});

it("ends what is being read when it is closed", async () => {
  const parser = parserWith();
  const pending = parser.parse(slow);
  await parser.close();
  await expect(pending).rejects.toMatchObject({ name: "Refusal", status: 502 });
});
