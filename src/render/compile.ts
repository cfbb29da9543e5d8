import { layOut, names, readerSlotOf, type Layout, type Node, shapeOf, shapes } from "./layout.ts";
import { renderLiquid, createSentinels, type Token } from "./liquid.ts";
import { clip, longDate, showHtml, textWidth, wrap } from "./plain.ts";
import { oneLine } from "../base/text.ts";
import {
  stencilVersion,
  type EditionArticle,
  type EmailTemplates,
  type Part,
  type Stencil,
  type ArticlePiece,
  type Encoding,
  type Mode,
  type Publication,
  type TemplateFile,
} from "./types.ts";
import { introductionOf, introductionStyle, publicationName, templateValues, type EditionInput } from "./values.ts";
import { Refusal } from "../base/errors.ts";
import { base64Lines, base64Size, padded, quotedPrintable, textBytes } from "../mail/encode.ts";
import { isolate, isRightToLeft, isRightToLeftLanguage, wordBreak } from "./scripts.ts";
import { cleanArticle } from "./articles.ts";
import { markdownHtml, markdownText, type Block } from "./markdown.ts";
import { pictureHtml } from "./pictures.ts";
import { mjmlToHtml } from "./mjml.ts";
import { subjectLimit } from "./subject.ts";

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
  const articles = input.articles
    .map((article) => cleanArticle(article, webEdition))
    .toSorted((a, b) => a.position - b.position);
  const shown = articles.map((article) => ({
    ...article,
    lead: articleTexts(article, true, html, text, publication),
    rest: articleTexts(article, false, html, text, publication),
  }));
  const sample = shown.slice(0, weighed).map(({ rest }) => rest);
  const encodings = {
    html: smallerEncoding([...fixedTexts(html.nodes), ...sample.map((one) => one.html)]),
    text: smallerEncoding([...fixedTexts(text.nodes), ...sample.map((one) => one.text)]),
  };
  return {
    version: stencilVersion,
    mode,
    language: publication.language,
    title: `${name}, ${longDate(edition.date, publication.language)}`,
    ...ownSubject(input),
    boundary,
    encodings,
    html: html.nodes.map((node) => toPart(node, encodings.html)),
    text: text.nodes.map((node) => toPart(node, encodings.text)),
    articles: shown.map(({ position, title, lead, rest }) => ({
      position,
      title,
      lead: articlePiece(lead, encodings),
      rest: articlePiece(rest, encodings),
    })),
    kb: fixedSize(html.nodes),
    ...(input.maxArticles === undefined ? {} : { maxArticles: input.maxArticles }),
  };
}

async function layOutHtml(templates: EmailTemplates, input: EditionInput): Promise<Layout> {
  const sentinels = createSentinels();
  const options = { folder: templates.folder, escape: true, values: templateValues(input, sentinels) };
  const rendered = await mjmlToHtml(await renderLiquid(templates.html, options), templates.html);
  return checkParts(
    layOut(
      introduced(sentinels.split(rendered), input, (blocks) =>
        markdownHtml(blocks, introductionStyle(input.publication)),
      ),
      templates.html,
    ),
    templates.html,
    input.mode,
  );
}

async function layOutText(templates: EmailTemplates, input: EditionInput): Promise<Layout> {
  const sentinels = createSentinels();
  const options = { folder: templates.folder, escape: false, values: templateValues(input, sentinels) };
  const rendered = `${(await renderLiquid(templates.text, options)).trim()}\n`;
  return checkParts(
    layOut(
      introduced(sentinels.split(rendered), input, (blocks) => markdownText(blocks, textWidth)),
      templates.text,
    ),
    templates.text,
    input.mode,
  );
}

/** The introduction is the same for every reader, so it becomes text of the template. */
function introduced(tokens: Token[], input: EditionInput, show: (blocks: Block[]) => string): Token[] {
  return tokens.map((token) =>
    "name" in token && token.name === "introduction" ? { text: show(introductionOf(input)) } : token,
  );
}

function ownSubject({ words }: EditionInput): { subject?: string } {
  const subject = clip(oneLine(words?.subject ?? ""), subjectLimit);
  return subject === "" ? {} : { subject };
}

/** Articles of a usual email, which decide about the encoding together with the template. */
const weighed = 20;

function smallerEncoding(texts: string[]): Encoding {
  const size = (of: (text: string) => number): number => texts.reduce((sum, text) => sum + of(text), 0);
  return size(base64Size) < size((text) => quotedPrintable(text).length) ? "base64" : "quoted-printable";
}

function toPart(node: Node, encoding: Encoding): Part {
  if ("text" in node) return { fixed: encoding === "base64" ? node.text : quotedPrintable(node.text) };
  if ("more" in node) return { more: node.more.map((inner) => toPart(inner, encoding)) };
  if ("articles" in node) return { articles: true };
  const slot = readerSlotOf(node.name);
  if (slot === null) throw new Error(`${node.name} is not a reader value.`);
  return { slot };
}

function fixedTexts(nodes: Node[]): string[] {
  return nodes.flatMap((node) => ("more" in node ? fixedTexts(node.more) : "text" in node ? [node.text] : []));
}

function fixedSize(nodes: Node[]): number {
  const bytes = fixedTexts(nodes).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return bytes / 1000 + names(nodes).length * slotRoom;
}

/** One cleaned article in HTML and text, as the lead article or as one of the others. */
function articleTexts(
  article: EditionArticle,
  lead: boolean,
  html: Layout,
  text: Layout,
  { language, pictures }: Publication,
): { html: string; text: string } {
  const shape = String(shapeOf(article, lead));
  const breaks = wordBreak(article.title + article.summary);
  const values: Record<string, string> = {
    title: article.title,
    direction: isRightToLeft(article.title, language) ? "rtl" : "ltr",
    titleAlign: ownAlignment(article.title, language),
    summaryAlign: ownAlignment(article.summary, language),
    wordBreak: breaks === null ? "" : `;word-break:${breaks}`,
    url: article.url,
    summary: article.summary,
    tags: article.tags.map((tag) => isolate(tag, language)).join(" \u00b7 "),
    source: isolate(article.origin?.name ?? "", language),
    sourceUrl: article.origin?.url ?? "",
  };
  const shown = pictures === "all" || (pictures === "lead" && lead) ? (article.picture ?? null) : null;
  const picture = shown === null ? "" : pictureHtml(shown, { title: article.title, url: article.url, lead });
  return {
    html: filled(html, shape, (field) => (field === "picture" ? picture : showHtml(values[field] ?? ""))),
    text: filled(text, shape, (field) => wrap(values[field] ?? "", textWidth)),
  };
}

/** Mail clients do not know `text-align: start`, so only text against the direction of the publication says its side. */
function ownAlignment(text: string, language: string): string {
  const right = isRightToLeft(text, language);
  return right === isRightToLeftLanguage(language) ? "" : `;text-align:${right ? "right" : "left"}`;
}

function articlePiece(article: { html: string; text: string }, encodings: Stencil["encodings"]): ArticlePiece {
  return {
    html: joinable(article.html, encodings.html),
    text: joinable(article.text, encodings.text),
    kb: Buffer.byteLength(article.html) / 1000,
  };
}

function joinable(text: string, encoding: Encoding): string {
  return encoding === "base64" ? base64Lines(padded(textBytes(text))) : quotedPrintable(text);
}

function filled(layout: Layout, shape: string, value: (field: string) => string): string {
  const tokens = layout.shapes.get(shape) ?? [];
  return tokens.map((token) => ("text" in token ? token.text : value(token.name.split(".")[2] ?? ""))).join("");
}

/**
 * An email must have an unsubscribe link (CAN-SPAM, RFC 8058) and must contain every article once, whatever parts the
 * article has. Returns the layout, or throws `Refusal` 422 that names what is missing.
 */
function checkParts(layout: Layout, file: TemplateFile, mode: Mode): Layout {
  const used = names(layout.nodes);
  const wanted = mode === "edition" ? ["reader.preferencesUrl", "reader.unsubscribeUrl", "reader.moreUrl"] : [];
  const missing = wanted.find((name) => !used.includes(name));
  if (missing !== undefined) {
    throw new Refusal(422, "template_value_missing", { file: file.path, value: `{{ ${missing} }}` });
  }
  const places = layout.nodes.filter((node) => "articles" in node).length;
  if (places !== 1) throw new Refusal(422, "template_articles_misplaced", { file: file.path, n: places });
  for (const [i, shape] of shapes.entries()) {
    const inside = names(layout.shapes.get(String(i)) ?? []);
    const lacks = ["title", "url"].find((field) => !inside.includes(`article.${i}.${field}`));
    if (lacks !== undefined) {
      throw new Refusal(422, "template_article_value_missing", {
        file: file.path,
        value: `{{ article.${lacks} }}`,
        lead: shape.lead ? "yes" : "no",
        without: partsWithout(shape),
      });
    }
  }
  return layout;
}

function partsWithout(shape: (typeof shapes)[number]): string {
  const without = [shape.summary ? "" : "summary", shape.tags ? "" : "tags", shape.source === "none" ? "source" : ""];
  return without.filter((part) => part !== "").join(", ") || "none";
}
