import { echo, Refusal } from "../base/errors.ts";
import { headerText, phrase } from "./encode.ts";

/** The header fields that all emails of one edition share. Each text is one line. */
export interface SharedFields {
  from: { name: string; address: string };
  listId: { name: string; id: string };
  language: string;
  boundary: string;
}

/**
 * The header fields of one email. `unsubscribe` is null if there is nothing to unsubscribe from, as in a sample copy. Its second way is
 * a `mailto:` URI; null if there is none.
 */
export interface OwnFields {
  to: string;
  subject: string;
  messageId: string;
  date: Date;
  unsubscribe: { oneClick: string; mailto: string | null } | null;
  feedbackId?: string;
}

/** The HTML specification's valid email address: ASCII, no comments, no quoting. */
const address = /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i;
const httpAddress = /^https?:\/\/[!#-;=?-~]+$/;
/** Commas separate addresses in List-Unsubscribe. */
const mailtoAddress = /^mailto:[!#-+\--;=?-~]+$/;
const longestValue = 900;
const messageIdLimit = 500;

/** `From:` and the fields after the reader's own, each ending with CRLF. Made once per edition. */
export function sharedHead(fields: SharedFields): { from: string; fixed: string } {
  const list = phrase("List-Id", fields.listId.name);
  return {
    from: `From: ${mailbox("From", fields.from)}\r\n`,
    fixed: lines(
      // RFC 2919, 3: the phrase is for people, the identifier is what filters match.
      `List-Id: ${list}${list === "" ? "" : " "}<${checked(fields.listId.id, /^[\w.-]+$/, "List-Id")}>`,
      // RFC 3834, 5 and MS-OXCMAIL 2.1.3.2.20: no out-of-office answers. Not "All", which would also stop bounces.
      "Auto-Submitted: auto-generated",
      "Precedence: bulk",
      "X-Auto-Response-Suppress: OOF, AutoReply",
      `Content-Language: ${checked(fields.language, /^[A-Za-z0-9-]+$/, "Content-Language")}`,
      "MIME-Version: 1.0",
      `Content-Type: multipart/alternative; boundary="${fields.boundary}"`,
    ),
  };
}

/**
 * The fields of one mail, each ending with CRLF. Throws `Refusal` 422 for an address, Message-ID or link that could
 * not stand in a header unchanged; invalid values are never corrected silently.
 */
export function ownHead(fields: OwnFields): string {
  const id = fields.messageId.replace(/^<|>$/g, "");
  if (id.length > messageIdLimit) throw new Refusal(422, "message_id_too_long", { longest: messageIdLimit });
  return lines(
    `To: ${checked(fields.to, address, "To")}`,
    `Subject: ${headerText("Subject", fields.subject)}`,
    `Date: ${fields.date.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${checked(id, /^[!-;=?A-~]+@[!-;=?A-~]+$/, "Message-ID")}>`,
    ...(fields.unsubscribe === null
      ? []
      : [
          // RFC 8058, 3.1: one HTTPS address, and the second field word for word. RFC 2369, 2: the preferred address first.
          `List-Unsubscribe: ${unsubscribeAddresses(fields.unsubscribe)}`,
          "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]),
    ...(fields.feedbackId === undefined
      ? []
      : [`Feedback-ID: ${checked(fields.feedbackId, /^[!-~]{1,500}$/, "Feedback-ID")}`]),
  );
}

function unsubscribeAddresses({ oneClick, mailto }: NonNullable<OwnFields["unsubscribe"]>): string {
  const link = `<${checked(oneClick, httpAddress, "List-Unsubscribe")}>`;
  return mailto === null ? link : `${link},\r\n <${checked(mailto, mailtoAddress, "List-Unsubscribe")}>`;
}

/** What stands before the text part, between the parts, and after the HTML part of multipart/alternative. */
export function partBorders(
  boundary: string,
  encodings: { text: string; html: string },
): { text: string; html: string; end: string } {
  const head = (type: string, encoding: string): string =>
    `--${boundary}\r\nContent-Type: text/${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  return {
    text: `\r\n${head("plain", encodings.text)}`,
    html: `\r\n${head("html", encodings.html)}`,
    end: `\r\n--${boundary}--\r\n`,
  };
}

function mailbox(name: string, from: { name: string; address: string }): string {
  const bare = checked(from.address, address, name);
  return from.name === "" ? bare : `${phrase(name, from.name)}${fold(name, from)}<${bare}>`;
}

/** The address goes on a line of its own where the name leaves it no room. */
function fold(name: string, from: { name: string; address: string }): string {
  return name.length + from.name.length + from.address.length > 66 || /[^ -~]/.test(from.name) ? "\r\n " : " ";
}

function checked(value: string, pattern: RegExp, field: string): string {
  // No field may make a line longer than 998 characters (RFC 5322, 2.1.1).
  if (value.length <= longestValue && pattern.test(value)) return value;
  throw new Refusal(422, "header_value_invalid", { value: echo(value), field });
}

function lines(...fields: string[]): string {
  return fields.map((field) => `${field}\r\n`).join("");
}
