import { Refusal } from "../base/errors.ts";
import { openWording, type Wording } from "../wording/catalogue.ts";
import { fromQuotedPrintable, quotedPrintable } from "../mail/encode.ts";
import { ownHead, partBorders, sharedHead } from "../mail/message.ts";
import { readerValues } from "./personalise.ts";
import { escapeHtml, textWidth, wrap } from "./plain.ts";
import { subjectOf } from "./subject.ts";
import type { Sender } from "./sender.ts";
import { readerSlots, stencilVersion } from "./types.ts";
import type { Part, ReaderMail, ReaderSlot, Stencil } from "./types.ts";

type Form = "html" | "text";
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
  articles: Map<number, { title: string; lead: Record<Form, Buffer>; rest: Record<Form, Buffer> }>;
}

/** Throws `Refusal` 409 for a stencil that a different release stored. */
export function prepare(stencil: Stencil, sender: Sender): Prepared {
  if (stencil.version !== stencilVersion) {
    throw new Refusal(409, "stencil_outdated", { version: stencil.version, expected: stencilVersion });
  }
  const { language, boundary } = stencil;
  return {
    stencil,
    wording: openWording(language),
    head: { ...sharedHead({ ...sender, language, boundary }), feedbackId: sender.feedbackId },
    borders: partBorders(boundary),
    html: stencil.html.map(toPiece),
    text: stencil.text.map(toPiece),
    articles: new Map(
      stencil.articles.map(({ position, title, lead, rest }) => [
        position,
        { title, lead: forms(lead), rest: forms(rest) },
      ]),
    ),
  };
}

/**
 * One reader's whole message (RFC 5322, CRLF, 7-bit), without dot-stuffing. The same input gives the same bytes. Throws
 * `Refusal` 422 for an address, Message-ID or link that is not valid in a header, and for an unknown position.
 */
export function assemble(prepared: Prepared, mail: ReaderMail): Buffer {
  const { stencil, wording, head, borders } = prepared;
  const values = readerValues(mail, wording, stencil.mode);
  const own = ownHead({
    to: mail.to,
    subject: subjectLine(prepared, mail),
    messageId: mail.messageId,
    date: mail.date,
    unsubscribe: stencil.mode === "edition" ? mail.links.oneClick : null,
    feedbackId: head.feedbackId,
  });
  const out: (Buffer | string)[] = [head.from, own, head.fixed, borders.text];
  lay(prepared.text, "text", encoded(values, wrapped), prepared, mail, out);
  out.push(borders.html);
  lay(prepared.html, "html", encoded(values, escapeHtml), prepared, mail, out);
  out.push(borders.end);
  return joined(out);
}

/** The decoded HTML alone. Throws as `assemble` does for positions. */
export function assembleHtml(prepared: Prepared, mail: ReaderMail): string {
  return body(prepared, mail, "html", escapeHtml);
}

/** The decoded text alone, with `\n` line ends. Throws as `assemble` does for positions. */
export function assembleText(prepared: Prepared, mail: ReaderMail): string {
  return body(prepared, mail, "text", wrapped);
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

function body(prepared: Prepared, mail: ReaderMail, form: Form, show: (value: string) => string): string {
  const out: (Buffer | string)[] = [];
  lay(
    prepared[form],
    form,
    encoded(readerValues(mail, prepared.wording, prepared.stencil.mode), show),
    prepared,
    mail,
    out,
  );
  return fromQuotedPrintable(joined(out).toString("latin1"));
}

function encoded(values: Filled, show: (value: string) => string): Filled {
  const filled = { ...values };
  for (const slot of readerSlots) filled[slot] = quotedPrintable(show(values[slot]));
  return filled;
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

function toPiece(part: Part): Piece {
  if ("fixed" in part) return bytes(part.fixed);
  return "more" in part ? { more: part.more.map(toPiece) } : part;
}

function forms(piece: Record<Form, string>): Record<Form, Buffer> {
  return { html: bytes(piece.html), text: bytes(piece.text) };
}

function bytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** All parts are ASCII, so a string has as many bytes as UTF-16 units. */
function joined(parts: (Buffer | string)[]): Buffer {
  const whole = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) at += typeof part === "string" ? whole.write(part, at, "latin1") : part.copy(whole, at);
  return whole;
}
