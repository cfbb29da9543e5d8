import { clip, commaLine, httpUrl, longDate } from "./plain.ts";
import { oneLine } from "../base/text.ts";
import type { Sentinels } from "./liquid.ts";
import { shapes } from "./layout.ts";
import { readerSlots, type EditionName, type EditionWords, type Mode, type Publication } from "./types.ts";
import { openWording } from "../texts/catalogue.ts";
import { parseMarkdown, type Block, type MarkdownStyle } from "./markdown.ts";
import { isRightToLeftLanguage } from "./scripts.ts";
import { readableOn } from "./colour.ts";

const light = { paper: "#fffdf8", ink: "#1f1c17", soft: "#645d52", rule: "#d9d2c4" };
const dark = { paper: "#191713", ink: "#ece6da", soft: "#aaa193", rule: "#423c32" };

export interface EditionInput {
  publication: Publication;
  edition: EditionName;
  mode: Mode;
  words?: EditionWords;
  /** The most articles of one email, for an edition that keeps it with its stencil. */
  maxArticles?: number;
}

/** The values for a template: those of the edition, and placeholders for those of articles and readers. */
export function templateValues(input: EditionInput, sentinels: Sentinels): object {
  const { publication, edition, mode } = input;
  const mark = (name: string): string => sentinels.mark(name);
  return {
    ...sharedValues(publication),
    sample: mode === "sample",
    edition: {
      date: longDate(edition.date, publication.language),
      number:
        edition.number > 1 ? openWording(publication.language).say("edition.number", { n: edition.number }) : null,
    },
    introduction: introductionOf(input).length > 0 ? mark("introduction") : "",
    reader: Object.fromEntries(readerSlots.map((slot) => [slot, mark(`reader.${slot}`)])),
    more: { begin: mark("more.begin"), end: mark("more.end") },
    articles: shapes.map((shape, i) => {
      const part = (name: string, there = true): string | null => (there ? mark(`article.${i}.${name}`) : null);
      return {
        lead: shape.lead,
        begin: part("begin"),
        end: part("end"),
        title: part("title"),
        picture: part("picture"),
        direction: part("direction"),
        titleAlign: part("titleAlign"),
        summaryAlign: part("summaryAlign"),
        wordBreak: part("wordBreak"),
        url: part("url"),
        summary: part("summary", shape.summary),
        tags: part("tags", shape.tags),
        source: part("source", shape.source !== "none"),
        sourceUrl: part("sourceUrl", shape.source === "linked"),
      };
    }),
  };
}

/** The blocks of the editor's introduction, which is in Markdown; empty without one. */
export function introductionOf({ words }: Pick<EditionInput, "words">): Block[] {
  return parseMarkdown(words?.introduction ?? "");
}

/** How an introduction looks in an email. */
export function introductionStyle({ language, accentColour }: Publication): MarkdownStyle {
  const side = isRightToLeftLanguage(language) ? "right" : "left";
  return {
    block: "margin:0 0 8px",
    list: `margin:0 0 8px;padding:0;padding-${side}:24px`,
    link: `color:${readableOn(accentColour, light.paper)}`,
    language,
  };
}

/** The values of all emails of a publication: its name, its texts, its colours. */
export function sharedValues(publication: Publication): object {
  const right = isRightToLeftLanguage(publication.language);
  return {
    language: publication.language,
    direction: right ? "rtl" : "ltr",
    start: right ? "right" : "left",
    end: right ? "left" : "right",
    words: ownWords(publication.language),
    light: { ...light, accent: readableOn(publication.accentColour, light.paper) },
    dark: { ...dark, accent: readableOn(publication.accentColour, dark.paper) },
    publication: {
      name: publicationName(publication),
      url: httpUrl(publication.publicUrl) ?? "#",
      logo: publication.logo,
      links: publication.links,
      postalAddress:
        publication.postalAddress === null ? null : clip(commaLine(publication.postalAddress), 500) || null,
    },
  };
}

export function publicationName(publication: Publication): string {
  return clip(oneLine(publication.name), 150);
}

/** The fixed texts of email templates, as `words.NAME`. */
function ownWords(language: string): Record<string, string> {
  const { say } = openWording(language);
  return {
    onTheWeb: say("article.source"),
    tags: say("article.tags"),
    moreHint: say("mail.more_hint"),
    sentTo: say("mail.sent_to"),
    preferences: say("mail.preferences"),
    unsubscribe: say("mail.unsubscribe"),
    changeTags: say("mail.change_tags"),
    sampleNote: say("mail.sample_note"),
    signUp: say("mail.sign_up"),
    inactive: say("mail.inactive"),
  };
}
