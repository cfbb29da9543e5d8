import { Refusal } from "../base/errors.ts";
import { openWording, type Wording } from "../texts/catalogue.ts";
import { base64Lines, fromBase64, fromQuotedPrintable, padded, quotedPrintable, textBytes } from "../mail/encode.ts";
import { ownHead, partBorders, sharedHead } from "../mail/mime.ts";
import { clip, showHtml, textWidth, wrap } from "./plain.ts";
import { isolate } from "./scripts.ts";
import { subjectOf } from "./subject.ts";
import type { Sender } from "./publication.ts";
import {
  stencilVersion,
  type Part,
  type ReaderMail,
  type ReaderSlot,
  type Stencil,
  type Encoding,
  type Mode,
} from "./types.ts";
import { oneLine } from "../base/text.ts";

type Form = "html" | "text";
/** Slots whose values all readers of the same articles and tags share. */
type SharedSlot = "preheader" | "count" | "why" | "moreUrl" | "moreArticles";
type OwnSlot = Exclude<ReaderSlot, SharedSlot>;
type Filled = Record<ReaderSlot, string>;
type Piece = Buffer | { slot: ReaderSlot } | { articles: true } | { more: Piece[] };

/** A stencil with its pieces as bytes and its articles by position. Each process makes it once per edition. */
export interface Prepared {
  stencil: Stencil;
  wording: Wording;
  head: { from: string; fixed: string; feedbackId: string };
  borders: { text: string; html: string; end: string };
  html: Piece[];
  text: Piece[];
  /** What readers of the same articles and tags share, by these. */
  shared: Map<string, Shared>;
  articles: Map<number, { title: string; lead: Record<Form, Buffer>; rest: Record<Form, Buffer> }>;
}

/** The subject line and the encoded slots. */
interface Shared extends Record<Form, Record<SharedSlot, string>> {
  subject: string;
}

/** Throws `Refusal` 409 for a stencil that a different release stored. */
export function prepare(stencil: Stencil, sender: Sender): Prepared {
  if (stencil.version !== stencilVersion) {
    throw new Refusal(409, "stencil_outdated", { version: stencil.version, expected: stencilVersion });
  }
  const { language, boundary, encodings } = stencil;
  return {
    stencil,
    wording: openWording(language),
    head: { ...sharedHead({ ...sender, language, boundary }), feedbackId: sender.feedbackId },
    borders: partBorders(boundary, encodings),
    html: stencil.html.map((part) => toPiece(part, encodings.html)),
    text: stencil.text.map((part) => toPiece(part, encodings.text)),
    shared: new Map(),
    articles: new Map(
      stencil.articles.map(({ position, title, lead, rest }) => [
        position,
        { title, lead: forms(lead), rest: forms(rest) },
      ]),
    ),
  };
}

/**
 * One reader's whole message (RFC 5322, CRLF, 7-bit). No line begins with a dot, so it needs no dot-stuffing. The same input
 * gives the same bytes. Throws `Refusal` 422 for an address, Message-ID or link that is not valid in a header, and for an
 * unknown position.
 */
export function assemble(prepared: Prepared, mail: ReaderMail): Buffer {
  const { stencil, head, borders } = prepared;
  const shared = sharedBy(prepared, mail);
  const values = ownValues(mail, stencil.mode);
  const own = ownHead({
    to: mail.to,
    subject: shared.subject,
    messageId: mail.messageId,
    date: mail.date,
    unsubscribe: stencil.mode === "edition" ? mail.links : null,
    feedbackId: head.feedbackId,
  });
  const out: (Buffer | string)[] = [head.from, own, head.fixed, borders.text];
  layPart("text", { ...encodedValues(prepared, "text", values), ...shared.text }, prepared, mail, out);
  out.push(borders.html);
  layPart("html", { ...encodedValues(prepared, "html", values), ...shared.html }, prepared, mail, out);
  out.push(borders.end);
  return joined(out);
}

/** The decoded HTML alone. Throws as `assemble` does for positions. */
export function assembleHtml(prepared: Prepared, mail: ReaderMail): string {
  return body(prepared, mail, "html");
}

/** The decoded text alone, with `\n` line ends. Throws as `assemble` does for positions. */
export function assembleText(prepared: Prepared, mail: ReaderMail): string {
  return body(prepared, mail, "text");
}

/** The subject of a reader's email: one line of at most 120 characters. */
export function subjectLine({ stencil, wording, articles }: Prepared, mail: ReaderMail): string {
  const sample = stencil.mode === "sample";
  if (stencil.subject !== undefined) return subjectOf(stencil.subject, 0, wording, sample);
  const lead = mail.positions[0];
  const headline = (lead === undefined ? undefined : articles.get(lead)?.title) ?? stencil.title;
  return subjectOf(headline, Math.max(0, mail.positions.length - 1) + mail.more, wording, sample);
}

function wrapped(value: string): string {
  return wrap(value, textWidth);
}

const show: Record<Form, (value: string) => string> = { html: showHtml, text: wrapped };

function body(prepared: Prepared, mail: ReaderMail, form: Form): string {
  const out: (Buffer | string)[] = [];
  const values = encodedValues(prepared, form, ownValues(mail, prepared.stencil.mode));
  layPart(form, { ...values, ...sharedBy(prepared, mail)[form] }, prepared, mail, out);
  const encoded = joined(out).toString("latin1");
  return prepared.stencil.encodings[form] === "base64" ? fromBase64(encoded) : fromQuotedPrintable(encoded);
}

/** Kept for so many groups of readers. An edition with more of them makes some again. */
const mostShared = 2_000;

function sharedBy(prepared: Prepared, mail: ReaderMail): Shared {
  const { positions, more, matchedTags, links } = mail;
  const key = `${positions.join()} ${more} ${links.moreUrl} ${JSON.stringify(matchedTags)}`;
  const kept = prepared.shared.get(key);
  if (kept !== undefined) return kept;
  const { stencil, wording, articles } = prepared;
  // The lead's headline is the subject already, unless an editor has written one.
  const after = stencil.subject === undefined && positions.length > 1 ? 1 : 0;
  const headlines = positions.slice(after, after + mostHeadlines).map((at) => articles.get(at)?.title ?? "");
  const values = sharedValues(mail, { wording, headlines, language: stencil.language });
  const shared = {
    subject: subjectLine(prepared, mail),
    html: encodedValues(prepared, "html", values),
    text: encodedValues(prepared, "text", values),
  };
  if (prepared.shared.size >= mostShared) prepared.shared.clear();
  prepared.shared.set(key, shared);
  return shared;
}

/** The values as they stand in one body part: quoted-printable, or text that becomes base64 together with what is around it. */
function encodedValues<Slot extends ReaderSlot>(
  { stencil }: Prepared,
  form: Form,
  values: Record<Slot, string>,
): Record<Slot, string> {
  const quoted = stencil.encodings[form] === "quoted-printable";
  const encoded = { ...values };
  for (const slot in values) {
    const shown = show[form](values[slot]);
    encoded[slot] = quoted ? quotedPrintable(shown) : shown;
  }
  return encoded;
}

/** One body part in the stencil's encoding. */
function layPart(form: Form, filled: Filled, prepared: Prepared, mail: ReaderMail, out: (Buffer | string)[]): void {
  if (prepared.stencil.encodings[form] === "quoted-printable") lay(prepared[form], form, filled, prepared, mail, out);
  else layBase64(form, filled, prepared, mail, out);
}

/** The articles are encoded already. What stands before and after them is encoded with the reader's values in it. */
function layBase64(form: Form, filled: Filled, prepared: Prepared, mail: ReaderMail, out: (Buffer | string)[]): void {
  let open: Buffer[] = [];
  const place = (piece: Piece): void => {
    if (Buffer.isBuffer(piece)) open.push(piece);
    else if ("slot" in piece) open.push(textBytes(filled[piece.slot]));
    else if ("more" in piece) {
      if (mail.more > 0) for (const inner of piece.more) place(inner);
    } else {
      out.push(base64Lines(padded(Buffer.concat(open))));
      open = [];
      lay([piece], form, filled, prepared, mail, out);
    }
  };
  for (const piece of prepared[form]) place(piece);
  out.push(base64Lines(Buffer.concat(open)));
}

function lay(
  pieces: Piece[],
  form: Form,
  filled: Filled,
  prepared: Prepared,
  mail: ReaderMail,
  out: (Buffer | string)[],
): void {
  for (const piece of pieces) {
    if (Buffer.isBuffer(piece)) out.push(piece);
    else if ("slot" in piece) out.push(filled[piece.slot]);
    else if ("more" in piece) {
      if (mail.more > 0) lay(piece.more, form, filled, prepared, mail, out);
    } else {
      for (const [i, position] of mail.positions.entries()) {
        const article = prepared.articles.get(position);
        if (article === undefined) throw new Refusal(422, "edition_position_not_found", { position });
        out.push((i === 0 ? article.lead : article.rest)[form]);
      }
    }
  }
}

function toPiece(part: Part, encoding: Encoding): Piece {
  if ("fixed" in part) return encoding === "base64" ? textBytes(part.fixed) : bytes(part.fixed);
  return "more" in part ? { more: part.more.map((inner) => toPiece(inner, encoding)) } : part;
}

function forms(piece: Record<Form, string>): Record<Form, Buffer> {
  return { html: bytes(piece.html), text: bytes(piece.text) };
}

function bytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** All parts are ASCII, so a string has as many bytes as UTF-16 units. */
function joined(parts: readonly (Buffer | string)[]): Buffer {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) at += typeof part === "string" ? whole.write(part, at, "latin1") : part.copy(whole, at);
  return whole;
}

/** How many characters of headlines are shown in the preheader, and of a reader's tags beside the date and in the reason. */
const room = { preheader: 90, count: 60, why: 300 };
/** A headline is not cut to fewer characters. */
const shortestCut = 20;
const mostHeadlines = 8;

/** The plain text of the slots that are a reader's own. In a sample copy their links are `#`. */
export function ownValues({ to, links }: ReaderMail, mode: Mode): Record<OwnSlot, string> {
  const own = mode === "edition";
  return {
    address: to,
    preferencesUrl: own ? links.preferences : "#",
    unsubscribeUrl: own ? links.unsubscribe : "#",
  };
}

/**
 * The plain text of the other slots.
 * @param about.headlines of the reader's articles, for the preheader
 * @param about.language of the text around the names; the wording's if it is not given
 */
export function sharedValues(
  mail: Pick<ReaderMail, "positions" | "more" | "matchedTags" | "links">,
  about: { wording: Wording; headlines: readonly string[]; language?: string },
): Record<SharedSlot, string> {
  const { wording, language = wording.language } = about;
  const { say } = wording;
  const n = mail.positions.length + mail.more;
  const tags = mail.matchedTags === "all" ? null : mail.matchedTags;
  const count =
    tags === null
      ? say("mail.articles", { n })
      : say("mail.articles_on", { n, tags: listed(tags, room.count, wording, language) });
  return {
    preheader: joinedHeadlines(about.headlines, language) || count,
    count,
    why:
      tags === null ? say("mail.why_all") : say("mail.why_tags", { tags: listed(tags, room.why, wording, language) }),
    moreUrl: mail.links.moreUrl,
    moreArticles: say("mail.more", { n: mail.more }),
  };
}

/** As many headlines as fit, the last one cut. */
function joinedHeadlines(headlines: readonly string[], language: string): string {
  const shown: string[] = [];
  let left = room.preheader;
  for (const headline of headlines) {
    if (shown.length > 0 && left < Math.min(headline.length, shortestCut)) break;
    const cut = clip(headline, left);
    shown.push(isolate(cut, language));
    left -= cut.length + separator.length;
  }
  return shown.join(separator);
}

const separator = " \u00b7 ";

function listed(tags: string[], limit: number, { say }: Wording, language: string): string {
  const shown: string[] = [];
  let size = 0;
  for (const tag of tags) {
    const name = clip(oneLine(tag), limit);
    if (shown.length > 0 && size + name.length + 2 > limit) break;
    shown.push(isolate(name, language));
    size += name.length + 2;
  }
  const text = shown.join(", ");
  return shown.length === tags.length ? text : say("mail.tags_more", { tags: text, n: tags.length - shown.length });
}
