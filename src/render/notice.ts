import { Refusal } from "../base/errors.ts";
import { quotedPrintable } from "../mail/encode.ts";
import { ownHead, partBorders, sharedHead } from "../mail/message.ts";
import { renderLiquid } from "./liquid.ts";
import { mjmlToHtml } from "./mjml.ts";
import { clip, escapeHtml, oneLine, textWidth, wrap } from "./plain.ts";
import { createSentinels, type Token } from "./sentinels.ts";
import { subjectLimit } from "./subject.ts";
import { readTemplate, trial } from "./templates.ts";
import type { EmailTemplates, Publication, TemplateFile } from "./types.ts";
import { publicationName, sharedValues } from "./values.ts";

/** A single mail to one reader: a paragraph or two, at most one button, and perhaps a list of headlines. */
export interface NoticeMail {
  to: string;
  messageId: string;
  date: Date;
  subject: string;
  headline: string;
  paragraphs: readonly string[];
  button: { label: string; url: string } | null;
  after: readonly string[];
  list: { title: string; articles: readonly { title: string; url: string }[] } | null;
  /** A subscriber's own links; null for a mailbox that has not said yes. */
  own: { preferences: string; unsubscribe: string } | null;
  why: string;
}

/** Makes notices of one publication by the templates as they are now. */
export interface NoticePress {
  /**
   * The whole message (RFC 5322, CRLF, 7-bit), ready for SMTP but for dot-stuffing.
   * @throws Refusal 422 for a template that cannot be used, and for what cannot stand in a header
   */
  print(mail: NoticeMail): Promise<Buffer>;
}

/** `=_` cannot occur in quoted-printable (RFC 2045, 6.7). */
const boundary = "=_dayletter_notice";

/** Reads `notice.mjml` and `notice.txt` of a folder. @throws Refusal 422 when they cannot be read or used */
export async function openNoticePress(folder: string, publication: Publication): Promise<NoticePress> {
  const [html, text] = await Promise.all([readTemplate(folder, "notice.mjml"), readTemplate(folder, "notice.txt")]);
  return createPress({ folder, html, text }, publication);
}

/** Compiles both templates with everything a notice can have, so that a wrong one is known at start. */
export async function checkNoticeTemplates(folder: string): Promise<void> {
  const url = "https://news.example/";
  const press = await openNoticePress(folder, trial);
  await press.print({
    to: "reader@example.com",
    messageId: "trial@news.example",
    date: new Date(0),
    subject: "Trial",
    headline: "Trial",
    paragraphs: ["One", "Two"],
    button: { label: "Act", url },
    after: ["Three"],
    list: { title: "Articles", articles: [{ title: "Headline", url }] },
    own: { preferences: url, unsubscribe: url },
    why: "Because",
  });
}

function createPress(templates: EmailTemplates, publication: Publication): NoticePress {
  const from = { name: clip(oneLine(publication.from.name), 150), address: publication.from.address };
  const { from: fromField, fixed } = sharedHead({
    from,
    listId: { name: publicationName(publication), id: publication.listId },
    language: publication.language,
    boundary,
  });
  const shapes = new Map<string, Promise<{ html: Token[]; text: Token[] }>>();
  return {
    async print(mail) {
      const values = valuesOf(mail);
      const shape = [...values.keys()].join();
      const compiled = shapes.get(shape) ?? compile(templates, publication, mail);
      shapes.set(shape, compiled);
      const { html, text } = await compiled;
      const borders = partBorders(boundary);
      const own = ownHead({
        to: mail.to,
        subject: clip(oneLine(mail.subject), subjectLimit),
        messageId: mail.messageId,
        date: mail.date,
        unsubscribe: mail.own?.unsubscribe ?? null,
      });
      const body = [
        borders.text,
        quotedPrintable(filled(text, values, (value) => wrap(value, textWidth))),
        borders.html,
        quotedPrintable(filled(html, values, escapeHtml)),
        borders.end,
      ];
      // Who has not said yes is on no list.
      return Buffer.from(fromField + own + (mail.own ? fixed : offList(fixed)) + body.join(""), "latin1");
    },
  };
}

function offList(fixed: string): string {
  return fixed.replace(/^List-Id:.*\r\n(?:[ \t].*\r\n)*/m, "").replace(/^Precedence:.*\r\n/m, "");
}

/** Every value of a notice by the name that templates know it by. */
function valuesOf(mail: NoticeMail): Map<string, string> {
  const named: [string, string][] = [
    ["subject", mail.subject],
    ["headline", mail.headline],
    ...mail.paragraphs.map((text, i): [string, string] => [`paragraphs.${i}`, text]),
    ...(mail.button ? pairs("button", mail.button) : []),
    ...mail.after.map((text, i): [string, string] => [`after.${i}`, text]),
    ...(mail.list
      ? [["list.title", mail.list.title] as [string, string]].concat(
          mail.list.articles.flatMap((article, i) => pairs(`list.articles.${i}`, article)),
        )
      : []),
    ...(mail.own ? pairs("own", mail.own) : []),
    ["why", mail.why],
    ["address", mail.to],
  ];
  return new Map(named.map(([name, text]) => [name, oneLine(text)]));
}

function pairs(prefix: string, fields: object): [string, string][] {
  return Object.entries(fields).map(([name, text]) => [`${prefix}.${name}`, String(text)]);
}

/** Templates are compiled once for each set of parts, with marks in the place of the values: no value meets MJML. */
async function compile(
  templates: EmailTemplates,
  publication: Publication,
  mail: NoticeMail,
): Promise<{ html: Token[]; text: Token[] }> {
  const html = createSentinels();
  const text = createSentinels();
  const [mjml, plain] = await Promise.all([
    renderLiquid(templates.html, {
      folder: templates.folder,
      escape: true,
      values: marked(publication, mail, html.mark),
    }),
    renderLiquid(templates.text, {
      folder: templates.folder,
      escape: false,
      values: marked(publication, mail, text.mark),
    }),
  ]);
  const wanted = [...valuesOf(mail).keys()].filter((name) => name !== "subject");
  return {
    html: complete(html.split(await mjmlToHtml(mjml, templates.html)), wanted, templates.html),
    text: complete(text.split(`${plain.replace(/\n{3,}/g, "\n\n").trim()}\n`), wanted, templates.text),
  };
}

function marked(publication: Publication, mail: NoticeMail, mark: (name: string) => string): object {
  const fields = (prefix: string, value: object): object =>
    Object.fromEntries(Object.keys(value).map((name) => [name, mark(`${prefix}.${name}`)]));
  return {
    ...sharedValues(publication),
    subject: mark("subject"),
    headline: mark("headline"),
    paragraphs: mail.paragraphs.map((_, i) => mark(`paragraphs.${i}`)),
    button: mail.button && fields("button", mail.button),
    after: mail.after.map((_, i) => mark(`after.${i}`)),
    list: mail.list && {
      title: mark("list.title"),
      articles: mail.list.articles.map((article, i) => fields(`list.articles.${i}`, article)),
    },
    own: mail.own && fields("own", mail.own),
    why: mark("why"),
    address: mark("address"),
  };
}

/** Every part of a notice matters: a confirmation without its link, or a way out, would be worse than none. */
function complete(tokens: Token[], wanted: readonly string[], file: TemplateFile): Token[] {
  const used = new Set(tokens.flatMap((token) => ("name" in token ? [token.name] : [])));
  const missing = wanted.find((name) => !used.has(name));
  if (missing === undefined) return tokens;
  const shown = missing.replace(/\.\d+/g, "");
  throw new Refusal(422, `The mail template ${file.path} has no {{ ${shown} }}.`);
}

function filled(
  tokens: readonly Token[],
  values: ReadonlyMap<string, string>,
  show: (value: string) => string,
): string {
  return tokens.map((token) => ("text" in token ? token.text : show(values.get(token.name) ?? ""))).join("");
}
