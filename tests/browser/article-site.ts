import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import type { App } from "../../src/app.ts";
import { packageRoot } from "../../src/package-root.ts";
import { buildWeb } from "../../src/web/build.ts";
import { startWorker } from "../../src/worker.ts";
import { chromium as chromiumPath } from "../support/kinds.ts";
import { token } from "../integration/web/open.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { openWorld } from "../support/world.ts";

/** A page of the news site: what it is made of, and the headers it comes with. */
export interface ArticlePage {
  html: string | Buffer;
  headers?: Record<string, string>;
}

export interface ArticleSite {
  app: App;
  sink: Sink;
  browser: Browser;
  /** Of our server. */
  alerts: string;
  /** Of the news site, which to a browser is another site. */
  news: string;
  /** Puts a page there. @returns its address */
  publish(page: ArticlePage): string;
  /** The n-th example in docs/embed.md of that kind, with our server's address in it. */
  example(kind: "html" | "text", n: number): string;
  close(): Promise<void>;
}

/** Our server, whole, with a mail server behind it; and a news site whose pages know nothing of it but what docs/embed.md says. */
export async function openArticleSite(): Promise<ArticleSite> {
  const pages: ArticlePage[] = [];
  const newsServer = createServer((request, response) => {
    const page = pages[Number(request.url!.slice(1))];
    if (!page) return response.writeHead(404).end();
    return response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...page.headers }).end(page.html);
  }).listen(0, "127.0.0.1");
  await once(newsServer, "listening");
  const news = `http://localhost:${(newsServer.address() as AddressInfo).port}`;

  const sink = await startSink();
  const env = { SMTP_URL: sink.url, PUBLICATION_NAME: "한국 Telecoms", DAYLETTER_TOKEN: token };
  const world = await openWorld({ env });
  const { app } = world;
  const worker = await startWorker(app);
  const web = buildWeb(app);
  await web.listen({ host: "127.0.0.1", port: 0 });
  const tags = ["lg u+", "huawei", "Korea", "Paris, Texas"];
  await web.inject({
    method: "POST",
    url: "/api/v1/articles",
    headers: { authorization: `Bearer ${token}` },
    payload: { url: `${news}/0`, title: "USA pressuring South Korean network to cancel Huawei deal", tags },
  });
  const alerts = `http://127.0.0.1:${(web.server.address() as AddressInfo).port}`;
  const handbook = readFileSync(join(packageRoot, "docs/embed.md"), "utf8").replaceAll(
    "https://alerts.example",
    alerts,
  );
  const browser = await chromium.launch({
    executablePath: chromiumPath()!,
    args: ["--no-sandbox", "--host-resolver-rules=MAP news.test 127.0.0.1"],
  });
  return {
    app,
    sink,
    browser,
    alerts,
    news,
    publish: (page) => `${news}/${pages.push(page) - 1}`,
    example(kind, n) {
      const found = [...handbook.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, one]) => one === kind);
      return found[n]![2]!.trim();
    },
    async close() {
      await browser.close();
      newsServer.close();
      newsServer.closeAllConnections();
      await web.close();
      await worker.stop(0);
      await world.close();
      await sink.close();
    },
  };
}
