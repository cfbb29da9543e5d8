import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { AddressObject, ParsedMail, SimpleParserOptions } from "mailparser";
import { isMailFile, outboxFiles, readHead } from "../../mail/outbox-folder.ts";

export interface OutboxEntry {
  path: string;
  subject: string;
  to: string;
}

export interface OutboxMail {
  subject: string;
  from: string;
  to: string;
  date: string;
  text: string;
  html: string | null;
  source: string;
}

/** More files than this are told apart by their names alone, which begin with the edition's date. */
const mostLookedAt = 1_000;

/** The newest mails, and how many there are. */
export async function listOutbox(folder: string, limit: number): Promise<{ mails: OutboxEntry[]; total: number }> {
  const names = await outboxFiles(folder);
  const candidates = names.toSorted().slice(-mostLookedAt);
  const dated = await Promise.all(candidates.map(async (name) => ({ name, at: await changedAt(join(folder, name)) })));
  const newest = dated.toSorted((a, b) => b.at - a.at).slice(0, limit);
  const mails = await Promise.all(newest.map(({ name }) => readEntry(folder, name)));
  return { mails, total: names.length };
}

/** One mail, or null when there is none of that name. */
export async function readOutboxMail(folder: string, name: string): Promise<OutboxMail | null> {
  if (!isMailFile(name)) return null;
  const raw = await readFile(join(folder, name)).catch(() => null);
  if (!raw) return null;
  const mail = await parse(raw, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
  return {
    subject: mail.subject ?? "(no subject)",
    from: addresses(mail.from),
    to: addresses(mail.to),
    date: mail.date?.toUTCString() ?? "",
    text: mail.text ?? "",
    html: mail.html || null,
    source: raw.toString("utf8"),
  };
}

/** The parser is loaded with the first mail that is looked at, so that a start does not wait for it. */
async function parse(raw: Buffer, options?: SimpleParserOptions): Promise<ParsedMail> {
  const { simpleParser } = await import("mailparser");
  return simpleParser(raw, options);
}

async function changedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.mtimeMs ?? 0;
}

async function readEntry(folder: string, name: string): Promise<OutboxEntry> {
  const mail = await readHead(join(folder, name))
    .then((head) => parse(head))
    .catch(() => null);
  return {
    path: `/outbox/${encodeURIComponent(name)}`,
    subject: mail?.subject ?? "(no subject)",
    to: addresses(mail?.to),
  };
}

function addresses(given: AddressObject | AddressObject[] | undefined): string {
  return [given]
    .flat()
    .map((one) => one?.text ?? "")
    .join(", ");
}
