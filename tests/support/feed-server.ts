import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface FeedItemInput {
  id: string;
  title: string;
  tags: string[];
  at: Date;
  summary?: string;
  link?: string;
}

export interface FeedServer {
  url: string;
  /** What the feed shows from now on. */
  items: FeedItemInput[];
  /** When set, every request gets this status and no feed. */
  failWith: number | null;
  /** What such an answer says of when to ask again. */
  retryAfter: string | null;
  /** When set, whoever has this version already gets 304. */
  etag: string | null;
  requests: number;
  close(): Promise<void>;
}

/** A local news site with one RSS feed at `url`. */
export async function startFeed(items: FeedItemInput[] = []): Promise<FeedServer> {
  const server = createServer((request, response) => {
    feed.requests += 1;
    if (feed.failWith !== null) {
      const headers = feed.retryAfter === null ? {} : { "retry-after": feed.retryAfter };
      response.writeHead(feed.failWith, headers).end("no feed today");
      return;
    }
    if (feed.etag !== null && request.headers["if-none-match"] === feed.etag) {
      response.writeHead(304).end();
      return;
    }
    const headers = feed.etag === null ? {} : { etag: feed.etag };
    response.writeHead(200, { "content-type": "application/rss+xml; charset=utf-8", ...headers }).end(rss(feed.items));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const feed: FeedServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed.xml`,
    items,
    failWith: null,
    retryAfter: null,
    etag: null,
    requests: 0,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return feed;
}

function rss(items: readonly FeedItemInput[]): string {
  const body = items.map(
    (item) => `<item><guid isPermaLink="false">${item.id}</guid><title>${xml(item.title)}</title>
      <link>${xml(item.link ?? `https://news.example/${item.id}`)}</link><description>${xml(item.summary ?? "")}</description>
      <pubDate>${item.at.toUTCString()}</pubDate>${item.tags.map((tag) => `<category>${xml(tag)}</category>`).join("")}</item>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Telecom Daily</title>
    <link>https://news.example/</link><description>News</description>${body.join("")}</channel></rss>`;
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
