import type { FastifyInstance } from "fastify";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { AddressObject, ParsedMail, SimpleParserOptions } from "mailparser";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { outboxFolder, isMailFile, outboxFiles, readHead } from "../../mail/outbox-folder.ts";
import { confineMail } from "../security.ts";
import { browsedHere, showsOutbox } from "../this-machine.ts";
import type { Views } from "../views.ts";
import { framed } from "./sample.ts";
import { englishWording } from "../../texts/catalogue.ts";

const listed = 100;

/**
 * `/outbox`: the mails of a server without a relay and without a public address. They hold readers' links, so they are shown
 * to this machine alone, and everybody else gets a 404.
 */
export function addOutboxPages(web: FastifyInstance, { config }: Pick<App, "config">, views: Views): void {
  const folder = outboxFolder(config.dataDir);

  web.register(async (scope) => {
    scope.addHook("onRequest", async (request) => {
      if (!showsOutbox(config) || !browsedHere(request)) throw nothing();
    });

    scope.get("/outbox", async (_request, reply) => {
      const { mails, total } = await listOutbox(folder, listed);
      return views.send(reply, "outbox", { title: englishWording().say("title.outbox"), mails, total });
    });

    scope.get<{ Params: { file: string } }>("/outbox/:file", async (request, reply) => {
      const { file } = request.params;
      const mail = await readOutboxMail(folder, file);
      if (!mail) throw nothing();
      const path = `/outbox/${encodeURIComponent(file)}`;
      return views.send(reply, "mail", {
        title: mail.subject,
        mail,
        htmlPath: mail.html === null ? null : `${path}/html`,
      });
    });

    scope.get<{ Params: { file: string } }>("/outbox/:file/html", async (request, reply) => {
      const mail = await readOutboxMail(folder, request.params.file);
      if (mail?.html == null) throw nothing();
      return confineMail(reply, config.pictures !== "off")
        .type("text/html; charset=utf-8")
        .send(framed(mail.html));
    });
  });
}

function nothing(): Refusal {
  return new Refusal(404, "page_not_found");
}

interface OutboxEntry {
  path: string;
  subject: string;
  to: string;
}

interface OutboxMail {
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
async function listOutbox(folder: string, limit: number): Promise<{ mails: OutboxEntry[]; total: number }> {
  const names = await outboxFiles(folder);
  const candidates = names.toSorted().slice(-mostLookedAt);
  const dated = await Promise.all(candidates.map(async (name) => ({ name, at: await changedAt(join(folder, name)) })));
  const newest = dated.toSorted((a, b) => b.at - a.at).slice(0, limit);
  const mails = await Promise.all(newest.map(({ name }) => readEntry(folder, name)));
  return { mails, total: names.length };
}

/** One mail, or null when there is none of that name. */
async function readOutboxMail(folder: string, name: string): Promise<OutboxMail | null> {
  if (!isMailFile(name)) return null;
  const raw = await readFile(join(folder, name)).catch(() => null);
  if (!raw) return null;
  const mail = await parse(raw, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
  return {
    subject: mail.subject ?? englishWording().say("outbox.no_subject"),
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
    subject: mail?.subject ?? englishWording().say("outbox.no_subject"),
    to: addresses(mail?.to),
  };
}

function addresses(given: AddressObject | AddressObject[] | undefined): string {
  return [given]
    .flat()
    .map((one) => one?.text ?? "")
    .join(", ");
}
