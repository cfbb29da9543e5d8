import { describe, expect, test } from "vitest";
import { parseFeed, type FeedItem } from "../../../src/sources/parse.ts";

const feedUrl = "https://news.example/feed.xml";
const seoul = { timezone: "Asia/Seoul", splitTags: false };

function rss(...items: string[]): string {
  const written = items.map((item, i) => `<item><title>T${i}</title><link>https://a.example/${i}</link>${item}</item>`);
  return `<rss version="2.0" xmlns:dcterms="http://purl.org/dc/terms/"><channel><title>T</title>${written.join("")}</channel></rss>`;
}

function rdf(item: string, about = "https://a.example/1"): string {
  return `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
    xmlns:dcterms="http://purl.org/dc/terms/"><channel><title>T</title></channel>
    <item rdf:about="${about}"><title>T</title><link>https://a.example/1</link>${item}</item></rdf:RDF>`;
}

function atom(entry: string): string {
  return `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:dcterms="http://purl.org/dc/terms/"><title>T</title>
    <entry>${entry}</entry></feed>`;
}

function only(text: string, options = seoul): FeedItem {
  const { items, problems } = parseFeed(text, feedUrl, options);
  expect(problems).toEqual([]);
  return items[0]!;
}

const at = new Date("2026-01-15T13:30:00Z");

describe("dates", () => {
  test("without a zone are in the time zone of the source", () => {
    const { items, warnings } = parseFeed(rss("<pubDate>2026-01-15 22:30:00</pubDate>"), feedUrl, seoul);
    expect(items[0]!.publishedAt).toEqual(at);
    expect(warnings).toEqual([]);
  });

  test("with an unknown zone are read there too, and reported once", () => {
    const date = "Thu, 15 Jan 2026 22:30:00 QQT";
    const { items, warnings } = parseFeed(rss(...Array(3).fill(`<pubDate>${date}</pubDate>`)), feedUrl, seoul);
    expect(items.map(({ publishedAt }) => publishedAt)).toEqual([at, at, at]);
    expect(warnings).toEqual([
      { code: "feed_zone_unknown", details: { n: 3, zone: "QQT", timezone: "Asia/Seoul", url: "https://a.example/0" } },
    ]);
  });

  test("that cannot be read are reported once, with an example", () => {
    const dates = ["<pubDate>soon</pubDate>", "", "<pubDate>31/31/2026</pubDate>"];
    const { items, warnings } = parseFeed(rss(...dates), feedUrl, seoul);
    expect(items.map(({ unreadableDate }) => unreadableDate)).toEqual(["soon", undefined, "31/31/2026"]);
    expect(warnings).toEqual([
      { code: "feed_item_date_unreadable", details: { n: 2, date: "soon", url: "https://a.example/0" } },
    ]);
  });

  test.each([
    ["RSS 2.0", rss("<dcterms:created>2026-01-15T13:30Z</dcterms:created>")],
    ["RSS 2.0, issued", rss("<dcterms:issued>2026-01-15T13:30Z</dcterms:issued>")],
    ["RSS 1.0, pubDate", rdf("<pubDate>Thu, 15 Jan 2026 13:30:00 GMT</pubDate>")],
    ["RSS 1.0, dcterms:date", rdf("<dcterms:date>2026-01-15T13:30Z</dcterms:date>")],
    ["RSS 1.0, dcterms:created", rdf("<dcterms:created>2026-01-15T13:30Z</dcterms:created>")],
    ["Atom", atom('<title>T</title><link href="/1"/><dcterms:issued>2026-01-15T13:30Z</dcterms:issued>')],
  ])("of other vocabularies: %s", (_, text) => expect(only(text).publishedAt).toEqual(at));
});

test("RSS 1.0 with categories", () => {
  const text = rdf(
    "<category>5G</category><category><![CDATA[AT&amp;T]]></category>",
    "https://a.example/1?a=1&amp;b=2",
  );
  expect(only(text)).toMatchObject({ tags: ["5G", "AT&T"], guid: "https://a.example/1?a=1&b=2" });
});

describe("Atom", () => {
  test("an http id stands in for a link", () => {
    expect(only(atom("<title>T</title><id>https://a.example/2026/1</id>")).url).toBe("https://a.example/2026/1");
  });

  test.each(["Alternate", "ALTERNATE", "http://www.iana.org/assignments/relation/alternate"])("rel=%j", (rel) => {
    const links = `<link rel="self" href="/self"/><link rel="${rel}" href="/1"/>`;
    expect(only(atom(`<title>T</title>${links}`)).url).toBe("https://news.example/1");
  });

  test("text is not HTML", () => {
    const entry = `<title type="text">The &lt;b&gt; tag &amp;amp; more</title><link href="/1"/>
      <summary type="text">Use &lt;p&gt;x&lt;/p&gt; &amp;lt; here</summary>`;
    expect(only(atom(entry))).toMatchObject({ title: "The <b> tag &amp; more", summary: "Use <p>x</p> &lt; here" });
  });

  test("a title can mention tags", () => {
    const entry = `<title>Why &lt;body&gt; and &lt;p&gt; matter</title><link href="/1"/>`;
    expect(only(atom(entry)).title).toBe("Why <body> and <p> matter");
  });
});

test.each(["1.0", "1.1", "1", 1, "https://jsonfeed.org/version/1"])("JSON Feed with the version %j", (version) => {
  const items = [{ id: "1", url: "https://a.example/1", title: "T", content_text: "1 <b> 2" }];
  expect(only(JSON.stringify({ version, title: "T", items }))).toMatchObject({ title: "T", summary: "1 <b> 2" });
});

test.each([
  "https://a.example/x?a=1&amp;b=2",
  "https://a.example/x?a=1&amp;amp;b=2",
  "https://a.example/x?a=1&amp;amp;amp;b=2",
  "https://a.example/x?a=1&amp;#38;b=2",
])("the link %s was escaped too often", (link) => {
  const item = `<item><title>T</title><link>${link}</link></item>`;
  const text = `<rss version="2.0"><channel><title>T</title>${item}</channel></rss>`;
  expect(only(text).url).toBe("https://a.example/x?a=1&b=2");
});

test.each(["&#55357;&#56832;", "&#xD83D;&#xDE00;", "&amp;#55357;&amp;#56832;"])("%s is one character", (pair) => {
  const text = `<rss version="2.0"><channel><title>T</title><item><title>A ${pair} B</title><link>/1</link></item></channel></rss>`;
  expect(only(text).title).toBe("A 😀 B");
});

test("C1 controls are windows-1252 that was read as Latin-1", () => {
  const item = "<description>\u0093Don\u0092t\u0094 \u0080 50</description><category>Caf\u00e9\u0099</category>";
  expect(only(rss(item))).toMatchObject({ summary: "“Don’t” € 50", tags: ["Café™"] });
});

test("replacement characters are reported once", () => {
  const { warnings } = parseFeed(rss("<description>Caf\ufffd</description>", "<category>\ufffd</category>"), feedUrl);
  expect(warnings).toEqual([{ code: "feed_text_broken", details: { n: 2, url: "https://a.example/0" } }]);
});

describe("tags", () => {
  test("are split at commas where the source says so", () => {
    const text = rss("<category>LG U+, Samsung，5G、AI,,</category><category>Korea</category>");
    expect(only(text, { ...seoul, splitTags: true }).tags).toEqual(["LG U+", "Samsung", "5G", "AI", "Korea"]);
    expect(only(text).tags).toEqual(["LG U+, Samsung，5G、AI,,", "Korea"]);
  });

  test("that are too long are reported once, with an example", () => {
    const long = `Long ${"x".repeat(80)}`;
    const { items, warnings } = parseFeed(
      rss(`<category>${long}</category><category>${"y".repeat(3000)}</category>`),
      feedUrl,
    );
    expect(items[0]!.tags).toEqual([]);
    expect(warnings).toEqual([
      { code: "feed_tags_too_long", details: { n: 2, tag: `${long.slice(0, 59)}…`, url: "https://a.example/0" } },
    ]);
  });
});
