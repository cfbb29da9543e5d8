import { sharedValues } from "./values.ts";
import { Refusal } from "../base/errors.ts";
import { renderLiquid, createSentinels, type Token } from "./liquid.ts";
import { mjmlToHtml } from "./mjml.ts";
import { oneLine } from "../base/text.ts";
import type { EmailTemplates, Publication, TemplateFile } from "./types.ts";

/** A single email to one reader: a few paragraphs, at most one button, and an optional list of headlines. */
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
  /** A subscriber's own links; null for an address that has not confirmed. */
  own: { preferences: string; unsubscribe: string; oneClick: string; mailto: string | null } | null;
  why: string;
}

/** Every value of a notice, by its name in templates. */
export function noticeValues(mail: NoticeMail): Map<string, string> {
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
    ...(mail.own ? pairs("own", shownLinks(mail.own)) : []),
    ["why", mail.why],
    ["address", mail.to],
  ];
  return new Map(named.map(([name, text]) => [name, oneLine(text)]));
}

/** The other addresses are in the header only, because a forwarded text must not unsubscribe the reader. */
function shownLinks({ preferences, unsubscribe }: NonNullable<NoticeMail["own"]>): object {
  return { preferences, unsubscribe };
}

function pairs(prefix: string, fields: object): [string, string][] {
  return Object.entries(fields).map(([name, text]) => [`${prefix}.${name}`, String(text)]);
}

/** Templates are compiled once for each set of parts, with placeholders instead of values, so no value reaches MJML. */
export async function compileNotice(
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
  const wanted = [...noticeValues(mail).keys()].filter((name) => name !== "subject");
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
    own: mail.own && fields("own", shownLinks(mail.own)),
    why: mark("why"),
    address: mark("address"),
  };
}

/** A template must contain every part: a confirmation is useless without its link. */
function complete(tokens: Token[], wanted: readonly string[], file: TemplateFile): Token[] {
  const used = new Set(tokens.flatMap((token) => ("name" in token ? [token.name] : [])));
  const missing = wanted.find((name) => !used.has(name));
  if (missing === undefined) return tokens;
  const value = `{{ ${missing.replace(/\.\d+/g, "")} }}`;
  throw new Refusal(422, "template_value_missing", { file: file.path, value });
}
