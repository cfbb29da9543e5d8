import { identityOf } from "./publication.ts";
import { encodedBody } from "../mail/encode.ts";
import { ownHead, partBorders, sharedHead } from "../mail/mime.ts";
import { compileNotice, noticeValues, type NoticeMail } from "./notice-template.ts";
import { clip, escapeHtml, textWidth, wrap } from "./plain.ts";
import { oneLine } from "../base/text.ts";
import type { Token } from "./liquid.ts";
import { subjectLimit } from "./subject.ts";
import { readTemplate, trial } from "./templates.ts";
import type { EmailTemplates, Publication } from "./types.ts";

/** Builds the notices of one publication from its templates. */
export interface NoticeBuilder {
  /**
   * The whole message (RFC 5322, CRLF, 7-bit), without dot-stuffing.
   * @throws Refusal 422 for a template that cannot be used, and for a value that is not valid in a header
   */
  print(mail: NoticeMail): Promise<Buffer>;
}

/** `=_` cannot occur in quoted-printable (RFC 2045, 6.7). */
const boundary = "=_dayletter_notice";

/** Reads `notice.mjml` and `notice.txt` of a folder. @throws Refusal 422 when they cannot be read or used */
export async function openNoticeBuilder(folder: string, publication: Publication): Promise<NoticeBuilder> {
  const [html, text] = await Promise.all([readTemplate(folder, "notice.mjml"), readTemplate(folder, "notice.txt")]);
  return createBuilder({ folder, html, text }, publication);
}

/** Compiles both templates with all parts of a notice, so that a broken one is found at start. */
export async function checkNoticeTemplates(folder: string): Promise<void> {
  const url = "https://news.example/";
  const builder = await openNoticeBuilder(folder, trial);
  await builder.print({
    to: "reader@example.com",
    messageId: "trial@news.example",
    date: new Date(0),
    subject: "Trial",
    headline: "Trial",
    paragraphs: ["One", "Two"],
    button: { label: "Act", url },
    after: ["Three"],
    list: { title: "Articles", articles: [{ title: "Headline", url }] },
    own: { preferences: url, unsubscribe: url, oneClick: url, mailto: null },
    why: "Because",
  });
}

function createBuilder(templates: EmailTemplates, publication: Publication): NoticeBuilder {
  const { language } = publication;
  const { from: fromField, fixed } = sharedHead({ ...identityOf(publication), language, boundary });
  const shapes = new Map<string, Promise<{ html: Token[]; text: Token[] }>>();
  return {
    async print(mail) {
      const values = noticeValues(mail);
      const shape = [...values.keys()].join();
      const compiled = shapes.get(shape) ?? compileNotice(templates, publication, mail);
      shapes.set(shape, compiled);
      const { html, text } = await compiled;
      const textBody = encodedBody(filled(text, values, (value) => wrap(value, textWidth)));
      const htmlBody = encodedBody(filled(html, values, escapeHtml));
      const borders = partBorders(boundary, { text: textBody.encoding, html: htmlBody.encoding });
      const own = ownHead({
        to: mail.to,
        subject: clip(oneLine(mail.subject), subjectLimit),
        messageId: mail.messageId,
        date: mail.date,
        unsubscribe: mail.own,
      });
      const body = [borders.text, textBody.body, borders.html, htmlBody.body, borders.end];
      // An address that has not confirmed is not on the list.
      return Buffer.from(fromField + own + (mail.own ? fixed : offList(fixed)) + body.join(""), "latin1");
    },
  };
}

function offList(fixed: string): string {
  return fixed.replace(/^List-Id:.*\r\n(?:[ \t].*\r\n)*/m, "").replace(/^Precedence:.*\r\n/m, "");
}

function filled(
  tokens: readonly Token[],
  values: ReadonlyMap<string, string>,
  show: (value: string) => string,
): string {
  return tokens.map((token) => ("text" in token ? token.text : show(values.get(token.name) ?? ""))).join("");
}
