import type { App } from "../../src/app.ts";
import { ingest } from "../../src/articles/ingest.ts";
import { apiSource } from "../../src/sources/store.ts";
import { insertSubscribers } from "../../src/subscribers/insert.ts";

/** Puts confirmed readers of all news among the subscribers. */
export async function addAllNewsReaders(app: App, addresses: readonly string[]): Promise<void> {
  await app.db.transaction().execute(async (tx) => {
    for (let i = 0; i < addresses.length; i += 1_000) {
      const news = addresses.slice(i, i + 1_000).map((address) => ({
        address,
        addressKey: address,
        status: "active" as const,
        allTags: true,
        tagIds: [],
        confirmedAt: app.clock.now(),
        consent: { method: "test", wording: null, tags: [] },
      }));
      await insertSubscribers(tx, news, app.clock.now());
    }
  });
}

/** One article that nobody has been sent yet, through the API's door. */
export async function addArticle(
  app: App,
  title: string,
  url = `https://news.example/${encodeURIComponent(title)}`,
  tags: readonly string[] = ["news"],
): Promise<void> {
  const article = { guid: null, url, title, summary: "", tags: [...tags], publishedAt: null, origin: null };
  await ingest(app, await apiSource(app.db, app.clock.now()), [article]);
}
