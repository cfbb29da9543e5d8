import type { App } from "../../app.ts";
import { chooseTags, type TagChoice } from "../../articles/tag-choice.ts";
import { newestSample, printSample, type NewestSample, type SampleCopy } from "../../editions/sample.ts";
import type { Wording } from "../../wording/catalogue.ts";
import { tagQuery } from "../tag-query.ts";
import { showPublished } from "./published.ts";

/** The ways to look at a sample copy; the first is what a plain address shows. */
export const sampleViews = {
  phone: "sample.view_phone",
  desktop: "sample.view_desktop",
  text: "sample.view_text",
  source: "sample.view_source",
} as const;
export type SampleView = keyof typeof sampleViews;

/** The sample copy of the tags that somebody named; `copy` is null when no article has any of them. */
export async function findSample(
  app: App,
  names: readonly string[],
): Promise<{ choice: TagChoice; from: NewestSample; copy: SampleCopy | null }> {
  const choice = await chooseTags(app.db, names);
  const from = await newestSample(app, choice);
  return { choice, from, copy: await printSample(app, from.of, choice) };
}

export function readView(raw: unknown): SampleView {
  return typeof raw === "string" && Object.hasOwn(sampleViews, raw) ? (raw as SampleView) : "phone";
}

/** The links from one way to look to the others. */
export function viewLinks(names: readonly string[], current: SampleView, { say }: Wording): object[] {
  return Object.entries(sampleViews).map(([view, label]) => ({
    label: say(label),
    path: `/sample${tagQuery(names, view === "phone" ? {} : { view })}`,
    current: view === current,
  }));
}

/** What the sample copy is, and why it is not of the newest edition where it is not. */
export function sampleNotes(
  { edition, passedOver }: NewestSample,
  { known, unknown }: Pick<TagChoice, "known" | "unknown">,
  words: Wording,
): { what: string; why: string | null } {
  const { say } = words;
  const instead = known.length === 0 && unknown.length > 0;
  if (edition) {
    const { date, extra } = showPublished(edition, words);
    const named = { date: extra === null ? date : `${date} (${extra})` };
    return {
      what: instead
        ? say("sample.what_instead", named)
        : known.length > 0
          ? say("sample.what_tags", named)
          : say("sample.what_all", named),
      why: passedOver ? say("sample.why_older") : null,
    };
  }
  return {
    what: instead
      ? say("sample.newest_instead")
      : known.length > 0
        ? say("sample.newest_tags")
        : say("sample.newest_all"),
    why: passedOver ? say("sample.why_none") : say("sample.why_first"),
  };
}

/** How a copy is shown under `view`: the address of a frame, or a text. */
export function shownAs(
  copy: SampleCopy,
  view: SampleView,
  names: readonly string[],
): { frame: string | null; text: string } {
  if (view === "text") return { frame: null, text: copy.text() };
  if (view === "source") return { frame: null, text: copy.message().toString("latin1") };
  return { frame: `/sample.html${tagQuery(names)}`, text: "" };
}

const logoAddress = /src="https?:\/\/[^"]+\/assets\/logo\./;

/**
 * The mail's HTML for a frame: articles open beside the page, for most sites refuse to be framed, and the links that do
 * nothing are no links, for otherwise they would open as well. The logo comes from where the page does.
 */
export function framed(html: string): string {
  return html
    .replace(/<head>/i, '$&<base target="_blank">')
    .replaceAll(/ href="#"/g, "")
    .replace(logoAddress, 'src="/assets/logo.');
}
