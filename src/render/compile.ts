import { quotedPrintable } from "../mail/encode.ts";
import { cleanArticle } from "./articles.ts";
import { longDate } from "./dates.ts";
import { layOut, names, readerSlotOf } from "./layout.ts";
import type { Layout, Node } from "./layout.ts";
import { renderLiquid } from "./liquid.ts";
import { mjmlToHtml } from "./mjml.ts";
import { articlePiece } from "./piece.ts";
import { clip, escapeHtml, oneLine, textWidth, wrap } from "./plain.ts";
import { checkParts } from "./required.ts";
import { createSentinels, type Token } from "./sentinels.ts";
import { subjectLimit } from "./subject.ts";
import { stencilVersion } from "./types.ts";
import type { EditionArticle, EmailTemplates, Part, Stencil } from "./types.ts";
import { introductionOf, publicationName, templateValues } from "./values.ts";
import type { EditionInput } from "./values.ts";

/** Space in the HTML for one reader value, in kB: a link, or a sentence with tags in a three-byte script. */
const slotRoom = 0.4;

/**
 * Renders the templates once for an edition, in the publication's language; MJML never runs per reader. The articles can
 * be in any order. Throws `Refusal` 422 for a template that cannot be used.
 */
export async function compileStencil(
  templates: EmailTemplates,
  input: EditionInput & { articles: EditionArticle[] },
): Promise<Stencil> {
  const { publication, edition, mode } = input;
  const [html, text] = [await layOutHtml(templates, input), await layOutText(templates, input)];
  const name = publicationName(publication);
  const webEdition = `${publication.publicUrl.replace(/(?<!\/)\/+$/, "")}/editions/${edition.date}`;
  // "=_" cannot occur in quoted-printable, so no text can contain the boundary (RFC 2045, 6.7).
  const boundary = `=_dayletter_${edition.date}_${edition.number}`;
  return {
    version: stencilVersion,
    mode,
    language: publication.language,
    title: `${name}, ${longDate(edition.date, publication.language)}`,
    ...ownSubject(input),
    boundary,
    html: html.nodes.map(toPart),
    text: text.nodes.map(toPart),
    articles: input.articles
      .map((article) => cleanArticle(article, webEdition))
      .toSorted((a, b) => a.position - b.position)
      .map((article) => ({
        position: article.position,
        title: article.title,
        lead: articlePiece(article, true, html, text),
        rest: articlePiece(article, false, html, text),
      })),
    kb: fixedSize(html.nodes),
  };
}

async function layOutHtml(templates: EmailTemplates, input: EditionInput): Promise<Layout> {
  const sentinels = createSentinels();
  const options = { folder: templates.folder, escape: true, values: templateValues(input, sentinels) };
  const rendered = await mjmlToHtml(await renderLiquid(templates.html, options), templates.html);
  return checkParts(
    layOut(introduced(sentinels.split(rendered), input, escapeHtml), templates.html),
    templates.html,
    input.mode,
  );
}

async function layOutText(templates: EmailTemplates, input: EditionInput): Promise<Layout> {
  const sentinels = createSentinels();
  const options = { folder: templates.folder, escape: false, values: templateValues(input, sentinels) };
  const rendered = `${(await renderLiquid(templates.text, options)).trim()}\n`;
  return checkParts(
    layOut(introduced(sentinels.split(rendered), input, inLines), templates.text),
    templates.text,
    input.mode,
  );
}

/** The introduction is the same for every reader, so it becomes text of the template. */
function introduced(tokens: Token[], input: EditionInput, show: (text: string) => string): Token[] {
  const texts = introductionOf(input);
  return tokens.map((token) => {
    const place = "name" in token ? /^introduction\.(\d+)$/.exec(token.name)?.[1] : undefined;
    return place === undefined ? token : { text: show(texts[Number(place)] ?? "") };
  });
}

function inLines(text: string): string {
  return wrap(text, textWidth);
}

function ownSubject({ words }: EditionInput): { subject?: string } {
  const subject = clip(oneLine(words?.subject ?? ""), subjectLimit);
  return subject === "" ? {} : { subject };
}

function toPart(node: Node): Part {
  if ("text" in node) return { fixed: quotedPrintable(node.text) };
  if ("more" in node) return { more: node.more.map(toPart) };
  if ("articles" in node) return { articles: true };
  const slot = readerSlotOf(node.name);
  if (slot === null) throw new Error(`${node.name} is not a reader value.`);
  return { slot };
}

function fixedSize(nodes: Node[]): number {
  const texts = nodes.flatMap((node) => ("more" in node ? node.more : [node]));
  const bytes = texts.reduce((sum, node) => sum + ("text" in node ? Buffer.byteLength(node.text) : 0), 0);
  return bytes / 1000 + names(nodes).length * slotRoom;
}
