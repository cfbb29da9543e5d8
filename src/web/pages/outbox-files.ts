import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { simpleParser, type AddressObject, type ParsedMail } from "mailparser";

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

/** Room for the header of our own mails, many times over. */
const headBytes = 16_384;
/** More files than this are told apart by their names alone, which begin with the edition's date. */
const mostLookedAt = 1_000;

/** The newest mails, and how many there are. */
export async function listOutbox(folder: string, limit: number): Promise<{ mails: OutboxEntry[]; total: number }> {
  const names = (await readdir(folder).catch(() => [])).filter(isMailFile);
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
  const mail = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
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

/** A plain name, so that no path leads out of the folder. */
function isMailFile(name: string): boolean {
  return /^[\w@+-][\w.@+-]{0,250}\.eml$/.test(name);
}

async function changedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.mtimeMs ?? 0;
}

async function readEntry(folder: string, name: string): Promise<OutboxEntry> {
  const mail = await readHead(join(folder, name)).catch(() => null);
  return {
    path: `/outbox/${encodeURIComponent(name)}`,
    subject: mail?.subject ?? "(no subject)",
    to: addresses(mail?.to),
  };
}

async function readHead(path: string): Promise<ParsedMail> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    const end = head.indexOf("\r\n\r\n");
    return await simpleParser(head.subarray(0, end < 0 ? undefined : end + 4));
  } finally {
    await file.close();
  }
}

function addresses(given: AddressObject | AddressObject[] | undefined): string {
  return [given]
    .flat()
    .map((one) => one?.text ?? "")
    .join(", ");
}
