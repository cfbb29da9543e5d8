import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { waitingArticles } from "../../articles/store.ts";
import { existingTags } from "../../articles/tag-store.ts";
import { cleanTags, tagKey } from "../../articles/tags.ts";
import { editionName, frozenArticles, type Edition } from "../../editions/store.ts";
import { localDate } from "../../editions/calendar.ts";
import { comingSends } from "../../ops/status.ts";
import { assemble, assembleHtml, assembleText, prepare } from "../../render/assemble.ts";
import { compileStencil } from "../../render/compile.ts";
import { fitPositions } from "../../render/fit.ts";
import type { EditionArticle, EditionName, ReaderMail } from "../../render/types.ts";
import { loadSchedule } from "../../schedule/store.ts";

export interface Preview {
  edition: EditionName;
  articles: EditionArticle[];
}

export async function previewEdition({ db }: App, { id, date, number }: Edition): Promise<Preview> {
  return { edition: { date, number }, articles: await frozenArticles(db, id) };
}

/** What would be claimed now, under the date of the next send. */
export async function previewComing({ db, clock, options }: App): Promise<Preview> {
  const now = clock.now();
  const schedule = await loadSchedule(db, options);
  const [next] = await comingSends(db, now, schedule);
  const date = next?.date ?? localDate(now, schedule.timezone);
  return { edition: { date, number: 1 }, articles: await waitingArticles(db, now) };
}

/**
 * The sample copy for a reader of these tags, or of all news when there are none.
 * @throws Refusal 422 for a tag that is none of the publication's, 404 when no article has any of them
 */
export async function printPreview(
  app: App,
  { edition, articles }: Preview,
  names: string[],
  form: "html" | "text" | "eml",
): Promise<string | Buffer> {
  const tags = cleanTags(names);
  await existingTags(app.db, tags);
  const keys = new Set(tags.map(tagKey));
  const matching = articles.filter((article) => keys.size === 0 || article.tags.some((tag) => keys.has(tagKey(tag))));
  if (matching.length === 0) {
    throw new Refusal(
      404,
      `Edition ${editionName(edition)} has no article ${keys.size === 0 ? "yet" : "with these tags"}: there is nothing to show.`,
    );
  }
  const { publication, config } = app;
  const stencil = await compileStencil(await app.templates(), { publication, edition, articles, mode: "sample" });
  const prepared = prepare(stencil);
  const home = `${config.publicUrl}/`;
  const mail: ReaderMail = {
    to: "reader@example.com",
    messageId: `sample.${editionName(edition)}@${publication.from.address.split("@")[1]!}`,
    ...fitPositions(
      stencil,
      matching.map(({ position }) => position),
      config.maxArticles,
    ),
    matchedTags: tags.length === 0 ? "all" : tags,
    links: { preferences: home, unsubscribe: home, moreUrl: `${home}editions/${editionName(edition)}` },
    date: app.clock.now(),
  };
  if (form === "html") return assembleHtml(prepared, mail);
  return form === "text" ? assembleText(prepared, mail) : assemble(prepared, mail);
}
