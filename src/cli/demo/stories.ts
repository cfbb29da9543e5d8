import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { escapeHtml } from "../../render/plain.ts";

/** An article of the demo's two news sites. */
interface Story {
  key: string;
  title: string;
  summary: string;
  url: string;
  tags: string[];
  hoursAgo: number;
  /** The original source, shown below the article. */
  onTheWeb?: { name: string; url: string };
}

const wire = "https://telecom-wire.example";
const review = "https://fixed-and-mobile.example";

const huawei = {
  key: "huawei",
  title: "South Korea confirms US concerns over LG U+'s contract with Huawei",
  summary:
    "Seoul has confirmed that the United States raised concerns after LG U+ chose Huawei of China to supply equipment for its " +
    "nationwide LTE network. The confirmation came in December 2013, as allies asked whether traffic in the country could be " +
    "protected from eavesdropping. LG U+ said that its decision was a commercial one.",
};

/** Telecom Wire, an RSS 2.0 feed. */
export const wireStories: readonly Story[] = [
  {
    ...huawei,
    url: `${wire}/news/lg-u-plus-huawei`,
    tags: ["lg u+", "huawei", "Korea"],
    hoursAgo: 3,
    onTheWeb: { name: "Korea JoongAng Daily", url: "https://koreajoongangdaily.joins.com/" },
  },
  {
    key: "masts",
    title: "Rural operators pool their masts to reach the last villages",
    summary:
      "Four small networks will share sites and power instead of building side by side. The first shared mast is on air.",
    url: `${wire}/news/rural-masts`,
    tags: ["towers", "rural"],
    hoursAgo: 5,
  },
  {
    key: "auction",
    title: "Regulator opens the 700 MHz band for bidding",
    summary:
      "Licences run for fifteen years, with coverage obligations for roads and railways. Bids are due in spring.",
    url: `${wire}/news/700-mhz`,
    tags: ["spectrum", "LTE"],
    hoursAgo: 8,
  },
  {
    key: "handsets",
    title: "Half of all new handsets now call over LTE",
    summary:
      "Older networks can be switched off sooner than planned, according to a survey of retailers & repair shops.",
    url: `${wire}/news/volte-handsets`,
    tags: ["LTE", "VoLTE"],
    hoursAgo: 11,
  },
  {
    key: "satellite",
    title: "Satellite operator moves a relay to a lower orbit",
    summary: "The move was finished last week and shortened the delay for ships by a third.",
    url: `${wire}/news/relay-orbit`,
    tags: ["satellite"],
    hoursAgo: 120,
  },
];

/** Fixed & Mobile Review, an Atom feed. Its first article is also in Telecom Wire, with another URL and other tags. */
const reviewStories: readonly Story[] = [
  {
    ...huawei,
    url: "http://www.telecom-wire.example/news/lg-u-plus-huawei/?utm_source=review&utm_medium=feed",
    tags: ["LTE", "security"],
    hoursAgo: 2,
  },
  {
    key: "cable",
    title: "A second cable lands across the strait",
    summary: "The new station gives the islands a second connection, after three outages in two winters.",
    url: `${review}/2/second-cable`,
    tags: ["submarine cables"],
    hoursAgo: 6,
  },
  {
    key: "underground",
    title: "Seoul's underground gets fibre in every tunnel (서울 지하철)",
    summary: "The stations share one ring, so a broken cable no longer disconnects a line.",
    url: `${review}/2/seoul-underground`,
    tags: ["Korea", "한국", "fibre"],
    hoursAgo: 9,
  },
  {
    key: "scheduler",
    title: "A base station's scheduler is rewritten, and stays in C++",
    summary: "The team compared <three> languages and chose the code that was easiest to explain.",
    url: `${review}/2/scheduler`,
    tags: ["c++", "open RAN"],
    hoursAgo: 10,
  },
];

const backlogHours = 48;

/** The articles that an edition should contain now: each story once, with the tags of both sites, and none older than 48 h. */
export function expectedArticles(): Pick<Story, "key" | "title" | "tags">[] {
  const articles = new Map<string, Pick<Story, "key" | "title" | "tags">>();
  for (const { key, title, tags, hoursAgo } of [...wireStories, ...reviewStories]) {
    if (hoursAgo > backlogHours) continue;
    const tagsSoFar = articles.get(key)?.tags ?? [];
    articles.set(key, { key, title, tags: [...new Set([...tagsSoFar, ...tags])] });
  }
  return [...articles.values()];
}

export interface DemoReader {
  address: string;
  /** Tags they follow; empty for all news. */
  tags: string[];
  confirmed: boolean;
}

export const readers: readonly DemoReader[] = [
  { address: "min-ji@readers.example", tags: ["lg u+"], confirmed: true },
  { address: "desk@readers.example", tags: ["huawei", "Korea"], confirmed: true },
  { address: "radio@readers.example", tags: ["LTE", "spectrum"], confirmed: true },
  { address: "developer@readers.example", tags: ["C++"], confirmed: true },
  { address: "archive@readers.example", tags: [], confirmed: true },
  { address: "skipper@readers.example", tags: ["satellite"], confirmed: true },
  { address: "undecided@readers.example", tags: ["LTE"], confirmed: false },
];

/** The headlines that a reader should get today, computed without the code under test. */
export function expectedTitles({ tags, confirmed }: DemoReader): string[] {
  if (!confirmed) return [];
  const wanted = new Set(tags.map((tag) => tag.toLowerCase()));
  const matches = (article: { tags: string[] }): boolean =>
    wanted.size === 0 || article.tags.some((tag) => wanted.has(tag.toLowerCase()));
  return expectedArticles()
    .filter(matches)
    .map((article) => article.title);
}

export interface DemoFeeds {
  /** URLs of the two feeds. */
  wire: string;
  review: string;
  stop(): Promise<void>;
}

/** Serves both feeds on a free local port. */
export async function serveFeeds(now: Date): Promise<DemoFeeds> {
  const feeds = new Map([
    ["/wire.rss", { type: "application/rss+xml", xml: rss("Telecom Wire", wireStories, now) }],
    ["/review.atom", { type: "application/atom+xml", xml: atom("Fixed & Mobile Review", reviewStories, now) }],
  ]);
  const server = createServer((request, response) => {
    const feed = feeds.get(request.url ?? "");
    if (feed) response.writeHead(200, { "content-type": `${feed.type}; charset=utf-8` }).end(feed.xml);
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    wire: `${base}/wire.rss`,
    review: `${base}/review.atom`,
    async stop() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}

function rss(title: string, stories: readonly Story[], now: Date): string {
  const items = stories.map(
    (story) => `
    <item>
      <title>${escapeHtml(story.title)}</title>
      <link>${escapeHtml(story.url)}</link>
      <guid isPermaLink="false">wire-${story.key}</guid>
      <pubDate>${published(story, now).toUTCString()}</pubDate>
      <description><![CDATA[<p>${escapeHtml(story.summary)}</p>${sourceLine(story)}]]></description>${story.tags
        .map((tag) => `\n      <category>${escapeHtml(tag)}</category>`)
        .join("")}
    </item>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0">
  <channel>
    <title>${escapeHtml(title)}</title>
    <link>https://telecom-wire.example/</link>
    <description>News about networks</description>${items.join("")}
  </channel>
</rss>
`;
}

function atom(title: string, stories: readonly Story[], now: Date): string {
  const entries = stories.map(
    (story) => `
  <entry>
    <id>tag:fixed-and-mobile.example,2026:${story.key}</id>
    <title>${escapeHtml(story.title)}</title>
    <link rel="alternate" href="${escapeHtml(story.url)}"/>
    <published>${published(story, now).toISOString()}</published>
    <updated>${published(story, now).toISOString()}</updated>
    <summary type="text">${escapeHtml(story.summary)}</summary>${story.tags
      .map((tag) => `\n    <category term="${escapeHtml(tag)}"/>`)
      .join("")}
  </entry>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>tag:fixed-and-mobile.example,2026:feed</id>
  <title>${escapeHtml(title)}</title>
  <updated>${now.toISOString()}</updated>
  <link rel="alternate" href="https://fixed-and-mobile.example/"/>${entries.join("")}
</feed>
`;
}

function sourceLine({ onTheWeb }: Story): string {
  return onTheWeb ? `<p>On the web: <a href="${escapeHtml(onTheWeb.url)}">${escapeHtml(onTheWeb.name)}</a></p>` : "";
}

function published({ hoursAgo }: Story, now: Date): Date {
  return new Date(now.getTime() - hoursAgo * 3_600_000);
}
