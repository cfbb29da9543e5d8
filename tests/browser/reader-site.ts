import type { AddressInfo } from "node:net";
import { chromium, type Browser } from "playwright-core";
import type { App } from "../../src/app.ts";
import { ingest } from "../../src/articles/ingest.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { findEdition, listPublished } from "../../src/editions/store.ts";
import { apiSource } from "../../src/sources/store.ts";
import { buildWeb } from "../../src/web/build.ts";
import { startWorker } from "../../src/worker.ts";
import { movedClock, type MovedClock } from "../support/clock.ts";
import { chromium as chromiumPath } from "../support/kinds.ts";
import { readMail, type ReadMail } from "../support/reading.ts";
import { startSink } from "../support/sink.ts";
import { eventually, openWorld } from "../support/world.ts";

export interface ReaderSite {
  app: App;
  clock: MovedClock;
  browser: Browser;
  url: string;
  /** The n-th mail to an address, 1 for the first, once it has come; its links lead to `url`. */
  mail(address: string, n: number): Promise<ReadMail & { raw: string }>;
  count(address: string): number;
  publish(news: Record<string, string[]>): Promise<void>;
  /** Sends an edition of what was published, and waits for its end. */
  send(): Promise<void>;
  close(): Promise<void>;
}

const publicUrl = "https://alerts.example";
/** More than a page offers at once, so that some must be searched for. */
const usual = Array.from({ length: 25 }, (_, n) => `Tag ${n + 1}`);
export const odd = ["lg u+", "c++", "a/b", "한국", "📡", "a tag of sixty characters".padEnd(60, ", and on")];

/** The program, whole, with a mail server behind it and a browser before it. */
export async function openReaderSite(env: Record<string, string> = {}): Promise<ReaderSite> {
  const clock = movedClock("2026-11-24T08:00:00Z");
  const sink = await startSink();
  const { app, close } = await openWorld({ clock, env: { SMTP_URL: sink.url, PUBLIC_URL: publicUrl, ...env } });
  const worker = await startWorker(app);
  const web = buildWeb(app);
  await web.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(web.server.address() as AddressInfo).port}`;
  const browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });

  const to = (address: string) => sink.messages.filter((message) => message.to === address);
  const publish: ReaderSite["publish"] = async (news) => {
    const articles = Object.entries(news).map(([title, tags]) => ({
      guid: null,
      url: `https://news.example/${encodeURIComponent(title)}`,
      title,
      summary: "South Korea confirmed that the United States had raised concerns about the contract.",
      tags,
      publishedAt: null,
      origin: { name: "Korea JoongAng Daily", url: "https://joongang.example/" },
    }));
    await ingest(app, await apiSource(app.db, clock.now()), articles);
  };
  for (const day of ["One", "Two"]) await publish({ [`${day} of the usual`]: usual });
  await publish({ "USA pressuring South Korean network to cancel Huawei deal": odd });
  return {
    app,
    clock,
    browser,
    url,
    async mail(address, n) {
      await eventually(`${address} has ${n} mails`, async () => to(address).length >= n);
      const received = to(address)[n - 1]!;
      const { text, html, ...rest } = await readMail(received);
      const here = (body: string) => body.replaceAll(publicUrl, url);
      return { ...rest, text: here(text), html: here(html), raw: here(unfold(received.raw.toString("latin1"))) };
    },
    count: (address) => to(address).length,
    publish,
    async send() {
      const { date, number } = await sendNow(app, {
        extra: (await listPublished(app.db, 1)).length > 0,
        actor: "test",
      });
      await eventually("the edition is finished", async () => {
        const edition = await findEdition(app.db, date, number);
        return edition !== undefined && ["finished", "empty"].includes(edition.state);
      });
    },
    async close() {
      await browser.close();
      await web.close();
      await worker.stop(0);
      await close();
      await sink.close();
    },
  };
}

function unfold(source: string): string {
  return source.replace(/\r\n[ \t]+/g, " ");
}
