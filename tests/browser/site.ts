import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { packageRoot } from "../../src/package-root.ts";
import { claim } from "../../src/deliveries/claims.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { linkToken } from "../../src/subscribers/tokens.ts";
import { article, openWeb, type OpenWeb } from "../integration/web/open.ts";
import { chromium as chromiumPath } from "../support/kinds.ts";
import { noLimits } from "../support/no-limits.ts";

export interface LiveSite extends OpenWeb {
  url: string;
  browser: Browser;
  /** Every page by name, on a site with readers, an edition and mails. */
  pages: Record<string, string>;
}

const summary =
  "South Korea confirmed that the United States had raised concerns about the contract for an LTE network; the company says that the equipment will be kept apart.";

/** A site with a day's news, sent to one reader, and a browser. */
export async function openLiveSite(): Promise<LiveSite> {
  const site = await openWeb({
    PUBLIC_URL: "http://localhost:3000",
    PUBLICATION_LOGO: join(packageRoot, "tests/fixtures/logo.png"),
  });
  await site.api("POST", "/articles", [
    article(1, ["lg u+", "huawei", "Korea"], {
      title: "USA pressuring South Korean network to cancel Huawei deal",
      summary,
      origin: { name: "Korea JoongAng Daily", url: "https://koreajoongangdaily.joins.com/" },
    }),
    article(2, ["LTE", "spectrum"], { title: "Regulator puts the 2.6 GHz auction off until spring", summary }),
    article(3, ["한국", "c++"], {
      title: `A${"n uninterrupted headlin".repeat(6).replaceAll(" ", "")}e without a space`,
    }),
  ]);
  await site.api("POST", "/subscribers", {
    address: "ada@example.com",
    tags: ["huawei"],
    confirmed: true,
    consent: { method: "test" },
  });
  await site.api("POST", "/editions");
  await site.render(1);
  await sendAll(site);
  await site.web.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(site.web.server.address() as AddressInfo).port}`;
  const { key } = (await findByAddress(site.app.db, "ada@example.com"))!;
  const { secret } = site.app.options;
  const outbox = await (await fetch(`${url}/outbox`)).text();
  const browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
  return {
    ...site,
    url,
    browser,
    pages: {
      front: "/",
      editions: "/editions",
      edition: "/editions/2026-11-24",
      preferences: `/preferences/${linkToken(secret, "preferences", key)}`,
      unsubscribe: `/unsubscribe/${linkToken(secret, "unsubscribe", key)}`,
      outbox: "/outbox",
      mail: /href="(\/outbox\/[^"]+)"/.exec(outbox)![1]!,
      missing: "/nothing",
    },
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

/** Sends every due delivery, as a worker would. */
async function sendAll({ app }: OpenWeb): Promise<void> {
  const press = (await app.builder(1))!;
  const now = app.clock.now();
  const { claimed } = await app.db
    .transaction()
    .execute((tx) => claim(tx, { editionId: 1, slice: 0, rooms: noLimits, sender: app.sender, count: 10, now }));
  for (const delivery of claimed) {
    await app.transport.send({ from: press.from(delivery), to: delivery.address, message: press.print(delivery, now) });
  }
}
