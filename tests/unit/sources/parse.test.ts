import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { decodeFeed } from "../../../src/sources/charset.ts";
import { sayReason } from "../../../src/texts/catalogue.ts";
import { findSourceLine } from "../../../src/sources/parse-item.ts";
import { parseFeed, type FeedItem } from "../../../src/sources/parse.ts";

const feedUrl = "https://user:secret@feeds.example/all/feed.xml?key=k";

const fixtures = join(import.meta.dirname, "../../fixtures/feeds");

function parseFixture(name: string) {
  const bytes = readFileSync(join(fixtures, name));
  return parseFeed(decodeFeed(bytes, null), feedUrl);
}

function rss(items: string, channel = "<title>T</title><link>https://site.example/</link>"): string {
  return `<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>${channel}${items}</channel></rss>`;
}

/** The one item of an RSS feed with these elements besides title and link. */
function itemWith(elements: string): FeedItem {
  const { items, problems } = parseFeed(
    rss(`<item><title>T</title><link>https://a.example/1</link>${elements}</item>`),
    feedUrl,
  );
  expect(problems).toEqual([]);
  return items[0] as FeedItem;
}

describe("formats", () => {
  test("RSS 2.0, with what publishers make of it", () => {
    const feed = parseFixture("rss-2.0.xml");
    expect(feed).toMatchObject({ title: "Telecoms & more", siteUrl: "https://telecoms.example/" });
    expect(feed.items[0]).toEqual({
      guid: "news-1",
      url: "https://telecoms.example/news/1?utm_source=rss",
      title: "Seoul confirms US worry over LG U+’s Huawei deal",
      summary: "The ministry spoke of the LTE contract.",
      tags: ["lg u+", "huawei", "AT&T"],
      publishedAt: new Date("2013-12-10T00:30:00Z"),
      origin: { name: "Korea JoongAng Daily", url: "https://kjd.example/a?x=1&y=2" },
      picture: null,
    });
    expect(feed.items[1]).toMatchObject({
      url: "https://telecoms.example/news/2",
      title: "Twice escaped {{ x }}",
      summary: "A summary.",
      publishedAt: null,
      origin: { name: "Reuters", url: null },
    });
    expect(feed.items[2]).toMatchObject({
      url: "https://telecoms.example/news/3",
      summary: "All of it",
      origin: { name: "Origin Post", url: null },
    });
    expect(feed.items.slice(3).map(({ guid }) => guid)).toEqual([null, null]);
    expect(feed.problems).toEqual([
      { code: "feed_item_without_link", details: { n: 4, title: "No link at all" } },
      { code: "feed_item_without_title", details: { n: 5, url: "https://telecoms.example/news/5" } },
      { code: "feed_item_link_invalid", details: { n: 6, link: "javascript:alert(1)" } },
    ]);
  });

  test("RSS 0.91 with its DOCTYPE, and links relative to the site", () => {
    expect(parseFixture("rss-0.91-doctype.xml")).toMatchObject({
      title: "Security notices",
      items: [{ guid: null, url: "https://notices.example.org/security/dsa-1", summary: "A flaw in the URL parser." }],
      problems: [],
    });
  });

  test("RSS 1.0 with Dublin Core", () => {
    expect(parseFixture("rss-1.0.rdf").items).toEqual([
      {
        guid: "https://rdf.example/1",
        url: "https://rdf.example/1",
        title: "First",
        summary: "Text of the first.",
        tags: ["lg u+", "Korea"],
        publishedAt: new Date("2013-12-10T00:30:00Z"),
        origin: { name: "Korea JoongAng Daily", url: null },
        picture: null,
      },
    ]);
  });

  test("Atom with xml:base, html and xhtml", () => {
    const feed = parseFixture("atom.xml");
    expect(feed).toMatchObject({ title: "Atom & friends", siteUrl: "https://feeds.example/site/", problems: [] });
    expect(feed.items).toMatchObject([
      {
        guid: "tag:atom.example,2024:1",
        url: "https://feeds.example/site/2024/one.html",
        title: "Using <T> in C++",
        summary: "In XHTML & more",
        tags: ["C++", "한국"],
        publishedAt: new Date("2024-02-29T11:00:00Z"),
        origin: null,
      },
      {
        url: "https://feeds.example/two",
        title: "Html title",
        summary: "Short",
        publishedAt: new Date("2024-03-02T00:00:00Z"),
        origin: { name: "Origin Post", url: "https://origin.example/" },
      },
    ]);
  });

  test("JSON Feed 1.1", () => {
    const feed = parseFixture("feed.json");
    expect(feed).toMatchObject({ title: "JSON news", siteUrl: "https://json.example/" });
    expect(feed.items).toMatchObject([
      {
        guid: "1",
        url: "https://json.example/1",
        summary: "Plain <T> text",
        tags: ["a/b", "emoji 🎉"],
        publishedAt: new Date("2024-01-02T08:04:05Z"),
      },
      { guid: "https://json.example/2", url: "https://json.example/2", summary: "Html" },
    ]);
    expect(feed.problems).toEqual([{ code: "feed_item_empty", details: { n: 3 } }]);
  });

  test.each([
    ["euc-kr.xml", "한국 뉴스", "똠방각하와 펲시", "lg u+"],
    ["shift-jis.xml", "日本のニュース", "①番目の記事", "東京"],
    ["gb18030.xml", "中国新闻", "华为与运营商 𠀀", "华为"],
    ["windows-1251.xml", "Новости", "Связь — это важно", "Россия"],
    ["utf-16.xml", "Ünïcödé 新闻", "BOM", "é"],
  ])("%s by its XML declaration or byte order mark", (name, title, summary, tag) => {
    expect(parseFixture(name).items).toMatchObject([{ title, summary, tags: [tag] }]);
  });
});

describe("hostile documents", () => {
  test("declared entities stay inert text, whatever they stand for", () => {
    expect(parseFixture("billion-laughs.xml").items).toMatchObject([{ title: "Ha &lol2; &xxe;" }]);
  });

  test("a password in the feed's address reaches no link", () => {
    const feed = parseFeed(rss("<item><title>T</title><link>/a</link></item>", "<title>T</title>"), feedUrl);
    expect(feed.items).toMatchObject([{ url: "https://feeds.example/a" }]);
  });

  test("only the first 1,000 items are read", () => {
    const feed = parseFeed(rss("<item><title>T</title><link>/a</link></item>".repeat(1200)), feedUrl);
    expect(feed.items).toHaveLength(1000);
    expect(feed.problems).toEqual([{ code: "feed_items_over_limit", details: { most: 1000 } }]);
  });

  test("endless titles, tags, guids and links are bounded", () => {
    const long = "x".repeat(5000);
    const item = itemWith(`<guid>${long}</guid><category>${long}</category><description>${long}</description>`);
    expect(item).toMatchObject({ guid: null, tags: [] });
    expect(item.summary).toHaveLength(2000);
    const { problems } = parseFeed(
      rss(`<item><title>${long}</title><link>https://a.example/${long}</link></item>`),
      feedUrl,
    );
    expect(sayReason(problems[0]!).length).toBeLessThan(300);
  });

  test("anything at all is read or refused, and never crashes", () => {
    const bits = [
      "<rss>",
      "</rss>",
      "<channel>",
      "<item>",
      "<title>",
      "<![CDATA[",
      "]]>",
      "&amp;",
      "<feed ",
      "xmlns='",
      ">",
      "{",
      '"items":',
      "<!DOCTYPE ",
      "[",
      "<?",
      "é",
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...bits), fc.string())), (parts) => {
        try {
          parseFeed(parts.join(""), feedUrl);
        } catch (error) {
          expect(error).toMatchObject({ name: "Refusal", status: 422 });
        }
      }),
    );
  });
});

/** Feeds of five items in each format of XML, with and without CDATA. */
const written = {
  rss: (items: string[]) =>
    rss(items.map((body, n) => `<item><guid>${n}</guid>${body}<link>/${n}</link></item>`).join("\n")),
  rdf: (items: string[]) => {
    const list = items.map((body, n) => `<item rdf:about="/${n}">${body}<link>/${n}</link></item>`);
    const spaces = 'xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"';
    return `<rdf:RDF ${spaces}><channel><title>T</title><link>https://site.example/</link></channel>${list.join("")}</rdf:RDF>`;
  },
  atom: (items: string[]) => {
    const list = items.map((body, n) => `<entry><id>${n}</id>${body}<link href="/${n}"/></entry>`);
    return `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://site.example/"><title>T</title>${list.join("")}</feed>`;
  },
};
const bodies = Array.from({ length: 5 }, (_, n) =>
  n % 2 === 0
    ? `<title>Title ${n} &amp; more</title><category term="a">b</category>`
    : `<title><![CDATA[Title <b>${n}</b> & more]]></title>`,
);

describe("broken documents", () => {
  const titlesOf = (text: string) => parseFeed(text, feedUrl).items.map(({ title }) => title);
  const whole = ["Title 0 & more", "Title 1 & more", "Title 2 & more", "Title 3 & more", "Title 4 & more"];

  describe.each(Object.entries(written))("%s", (_format, write) => {
    test.each([
      ["a < b", "a < b"],
      ["a <b", "a <b"],
      ["5 <3 items", "5 <3 items"],
      ["a </ b", "a </ b"],
      ["a <? b", "a <? b"],
      ["R&D & <", "R&D & <"],
      ["bell\u0007 &nosuch; <", "bell &nosuch; <"],
      ["a <![CDATA[ b", "a <![CDATA[ b"],
    ])("with the title %j loses nothing", (title, read) => {
      expect(titlesOf(write(bodies.with(2, `<title>${title}</title>`)))).toEqual(whole.with(2, read));
    });

    test.each(["title", "link", "guid", "id", "item", "entry"])("without one </%s> loses nothing", (name) => {
      const text = write(bodies);
      const at = text.split(`</${name}>`);
      const broken = [at.slice(0, 3).join(`</${name}>`), at.slice(3).join(`</${name}>`)].join("");
      expect(titlesOf(at.length < 4 ? text : broken)).toEqual(whole);
    });

    test("without one item's start tag loses nothing", () => {
      const starts = [...write(bodies).matchAll(/<(?:item|entry)[^>]*>/g)];
      const [tag = ""] = starts[2] ?? [];
      const at = starts[2]?.index ?? 0;
      const text = write(bodies);
      expect(titlesOf(text.slice(0, at) + text.slice(at + tag.length))).toEqual(whole);
    });

    test("reads the whole items of a document that is cut off, and says so", () => {
      const text = write(bodies);
      const cut = parseFeed(text.slice(0, text.indexOf("3</b>")), feedUrl);
      expect(cut.items.map(({ title }) => title)).toEqual(whole.slice(0, 3));
      expect(cut).toMatchObject({ title: "T", lost: 1 });
      expect(cut.problems.map(({ code }) => code)).toEqual(["feed_item_cut_off", "feed_incomplete"]);
    });

    test("names an item that cannot be read, and reads the others", () => {
      const feed = parseFeed(write(bodies.with(2, "<title")), feedUrl);
      expect(feed.items.map(({ title }) => title)).toEqual(whole.toSpliced(2, 1));
      expect(feed).toMatchObject({ lost: 1, problems: [{ details: { n: 3 } }] });
    });

    const tags = "</item> </entry> <item> <entry> </channel> </rss> </feed> <title> </title> <x> </x> </link>".split(
      " ",
    );
    const junk = [..."<>&\"'\0", ...tags, "<!--", "-->", "<![CDATA[", "]]>", "<?", "<x y='", "&x;"];
    const damage = fc.record({
      item: fc.nat(4),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat(30),
      put: fc.array(fc.oneof(fc.constantFrom(...junk), fc.string({ maxLength: 5 })), { maxLength: 3 }),
    });
    test("one damaged item costs no other", () => {
      fc.assert(
        fc.property(damage, ({ item, from, length, put }) => {
          const text = write(bodies);
          const [start, end] = itemRange(text, item);
          const at = Math.floor(start + from * (end - start));
          const damaged = text.slice(0, at) + put.join("") + text.slice(Math.min(at + length, end));
          const titles = titlesOf(damaged);
          expect(titles).toEqual(expect.arrayContaining(whole.toSpliced(item, 1)));
        }),
        { numRuns: 100 },
      );
    });
  });

  /** From behind the start tag's name to behind the end tag: without the name nothing would tell that an item begins. */
  function itemRange(text: string, item: number): [start: number, end: number] {
    const start = [...text.matchAll(/<(?:item|entry)[\s>]/g)][item]!;
    const end = [...text.matchAll(/<\/(?:item|entry)>/g)][item]!;
    return [start.index + start[0].length, end.index + end[0].length];
  }

  test("an end tag too many is no item", () => {
    const text = written.rss(bodies).replace("</item>", "</item>\n</item>");
    expect(parseFeed(text, feedUrl)).toMatchObject({ lost: 0, problems: [], items: { length: 5 } });
  });

  test.each(["</item>", "<a>", "</a>", "<", "<!--", "<![CDATA[", "<title>", "<a b='"])(
    "are read or refused in linear time when full of %j",
    (bit) => {
      const text = rss(`<item><title>T < U</title><link>/a</link>${bit.repeat(300_000 / bit.length)}</item>`);
      const started = performance.now();
      try {
        parseFeed(text, feedUrl);
      } catch (error) {
        expect(error).toMatchObject({ name: "Refusal", status: 422 });
      }
      expect(performance.now() - started).toBeLessThan(5000);
    },
  );

  test("a root element with an endless name is refused", () => {
    const name = `${"a".repeat(100_000)}:rss`;
    expect(() => parseFeed(`<${name}></${name}>`, feedUrl)).toThrow(
      expect.objectContaining({ code: "feed_unknown_xml" }),
    );
  });

  test("JSON items that are no objects are named, and the others read", () => {
    const items = [{ id: "1", title: "One", url: "/1" }, null, "x", { id: "2", title: "Two", url: "/2" }];
    const feed = parseFeed(JSON.stringify({ version: "https://jsonfeed.org/version/1.1", title: "T", items }), feedUrl);
    expect(feed.items.map(({ title }) => title)).toEqual(["One", "Two"]);
    expect(feed).toMatchObject({
      lost: 2,
      problems: [2, 3].map((n) => ({ code: "feed_item_not_object", details: { n } })),
    });
  });

  test("control characters in the strings of JSON cost nothing", () => {
    const text =
      '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "url": "/1", "title": "A\n\u0007B"}]}';
    expect(parseFeed(text, feedUrl).items).toMatchObject([{ title: "A B" }]);
  });

  test.each(readdirSync(fixtures).filter((name) => !name.endsWith(".json")))(
    "%s in pieces is read or refused",
    (name) => {
      const text = decodeFeed(readFileSync(join(fixtures, name)), null);
      const junk = fc.constantFrom(
        "<",
        "</",
        "<!--",
        "<![CDATA[",
        "]]>",
        "&",
        '"',
        "<item>",
        "</item>",
        "<entry",
        "\0",
        "",
      );
      const place = fc.nat(text.length);
      fc.assert(
        fc.property(place, fc.nat(200), junk, (at, length, put) => {
          try {
            parseFeed(text.slice(0, at) + put + text.slice(at + length), feedUrl);
          } catch (error) {
            expect(error).toMatchObject({ name: "Refusal", status: 422 });
          }
        }),
        { numRuns: 30 },
      );
    },
  );
});

describe("a document that is not a feed is refused with what it is", () => {
  const page =
    '<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/rss?a&amp;b"></head></html>';
  test.each<[string, string, object?]>([
    ["", "feed_empty"],
    ["  \n", "feed_empty"],
    [page, "feed_on_web_page", { feed: "https://feeds.example/rss?a&b" }],
    ["<html><body>Not found</body></html>", "feed_is_web_page"],
    ['<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "feed_is_web_page"],
    ['{"ok": true}', "feed_json_unknown"],
    ["[1, 2]", "feed_json_unknown"],
    ['{"version": ', "feed_json_invalid", { reason: expect.stringContaining("JSON") }],
    ["Hello there", "feed_not_recognised", { start: "Hello there" }],
    ["<opml version='2.0'></opml>", "feed_is_opml"],
    ["<urlset></urlset>", "feed_is_sitemap"],
    ["<svg></svg>", "feed_unknown_xml", { element: "svg" }],
    ["<?xml version='1.0'?><!DOCTYPE rss [ <!ENTITY a 'b'>", "feed_cut_off"],
    [rss("<item><title>T</title>").slice(0, -12), "feed_not_closed", { element: "rss" }],
    [rss("<item><title>T < U</title></item>"), "feed_broken", { reason: expect.any(String) }],
    ["<rss version='2.0'></rss>", "feed_broken", { reason: expect.any(String) }],
  ])("%j", (text, code, details = {}) => {
    const url = "https://feeds.example/all/feed.xml?…";
    expect(() => parseFeed(text, feedUrl)).toThrow(
      expect.objectContaining({ status: 422, code, details: { url, ...details } }),
    );
  });
});

describe("source lines", () => {
  test.each([
    ["Text.&lt;br&gt;On the web: Korea JoongAng Daily", "Text.", "Korea JoongAng Daily", null],
    ["Text. Source: Reuters", "Text.", "Reuters", null],
    ["Text.\nsource : AP", "Text.", "AP", null],
    ["<![CDATA[<p>Text.</p>Source: https://www.reuters.com/x]]>", "Text.", "reuters.com", "https://www.reuters.com/x"],
    ["<![CDATA[Text. Source: <a href='/x'>Ours</a>]]>", "Text.", "Ours", "https://site.example/x"],
    [
      "<![CDATA[Text.<br><br>Source:<br>\n<a href=/x?a&amp;b>Ours</a> ]]>",
      "Text.",
      "Ours",
      "https://site.example/x?a&b",
    ],
    ["<![CDATA[Text. Source: <a href='javascript:x'>Ours</a>]]>", "Text.", "Ours", null],
  ])("%j", (description, summary, name, url) => {
    expect(itemWith(`<description>${description}</description>`)).toMatchObject({ summary, origin: { name, url } });
  });

  test.each(["The open source: a history", "Source: X said so.&lt;br&gt;More text follows.", "Text. Source:"])(
    "%j has none",
    (description) => expect(itemWith(`<description>${description}</description>`).origin).toBeNull(),
  );

  test.each(["\n", " ", "source: ", ". ", "<a href='", "<a href=''>", "<a href="])(
    "are looked for in linear time among %j",
    (bit) => {
      const text = `${bit.repeat(2000 / bit.length - 1)}x`;
      const started = performance.now();
      for (let i = 0; i < 200; i++) findSourceLine(text, feedUrl);
      expect(performance.now() - started).toBeLessThan(1500);
    },
  );

  test("the item's own source element goes before the line, which leaves the summary all the same", () => {
    const item = itemWith(
      '<source url="https://news.example">News</source><description>Text. Source: News</description>',
    );
    expect(item).toMatchObject({ summary: "Text.", origin: { name: "News", url: "https://news.example/" } });
  });
});

describe("dates", () => {
  test.each([
    ["Tue, 10 Dec 2013 09:30:00 +0900", "2013-12-10T00:30:00Z"],
    ["10 Dec 13 09:30 GMT", "2013-12-10T09:30:00Z"],
    ["Tue, 10 December 2013 09:30:00 EST", "2013-12-10T14:30:00Z"],
    ["Tue, 10 Dec 2013 09:30:00 GMT+0100", "2013-12-10T08:30:00Z"],
    ["2013-12-10T09:30:00.123+09:00", "2013-12-10T00:30:00Z"],
    ["2013-12-10 09:30", "2013-12-10T09:30:00Z"],
    ["20131210T093000Z", "2013-12-10T09:30:00Z"],
    ["2013-12-10", "2013-12-10T00:00:00Z"],
  ])("%s", (raw, iso) => {
    expect(itemWith(`<pubDate>${raw}</pubDate>`).publishedAt).toEqual(new Date(iso));
  });

  test.each([
    "",
    "tomorrow",
    "31 Feb 2024 10:00 GMT",
    "2024-13-01",
    "0001-01-01T00:00:00Z",
    "1 Jan 1970 00:00 GMT",
    "2024-01-01T25:00Z",
    "12345",
  ])("%j is none", (raw) => expect(itemWith(`<pubDate>${raw}</pubDate>`).publishedAt).toBeNull());

  it("takes the next best where the first is nonsense", () => {
    expect(itemWith("<pubDate>soon</pubDate><dc:date>2024-01-01</dc:date>").publishedAt).toEqual(
      new Date("2024-01-01"),
    );
  });
});
