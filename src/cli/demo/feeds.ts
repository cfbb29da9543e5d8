import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { escapeHtml } from "../../render/plain.ts";
import { reviewStories, wireStories, type Story } from "./stories.ts";

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
