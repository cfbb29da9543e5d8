import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import type { SubscriberStatus } from "../../db/schema.ts";
import { importSubscribers, sayRefusedLine, type ImportReport } from "../../subscribers/import.ts";
import { parseColumnMap, readCsv } from "../../subscribers/import-rows.ts";
import { findReaders } from "../../subscribers/find.ts";
import { countByStatus } from "../../subscribers/store.ts";
import { suppressAddress, unsuppressAddress } from "../../subscribers/suppress-address.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { exportCsv } from "../api/export.ts";
import { takeUploads, uploadOf, type UploadForm } from "../multipart.ts";
import { noHead } from "../limits.ts";
import { readFields } from "../pages/fields.ts";
import { englishOf } from "../../wording/catalogue.ts";
import { needs, type Show } from "./desk.ts";
import { count, number, shortMoment } from "./format.ts";

const path = "/operator/readers";
const pageSize = 50;
const statuses = ["active", "pending", "unsubscribed", "suppressed"] as const satisfies SubscriberStatus[];
/** In bytes, enough for a list of about 100,000 readers. */
const longestForm = 10_000_000;
const shownFaults = 20;

interface Told {
  notice?: string | null;
  report?: { list: string; confirmed: boolean; createTags: boolean; report: ImportReport };
}

/** `/operator/readers`: search, import, export and suppressions. */
export function addReadersPage(web: FastifyInstance, app: App, show: Show): void {
  const { db } = app;

  web.get(path, needs.viewer, async (request, reply) => {
    const done = readFields(request.query).one("done");
    return list(request, reply, { notice: doneWords(done) });
  });

  // A POST, because URLs end up in access logs and browser histories.
  web.post(`${path}/find`, needs.viewer, (request, reply) => list(request, reply, {}));

  web.get(`${path}/export.csv`, { ...needs.editor, ...noHead }, async (request, reply) => {
    const status = statuses.find((one) => one === readFields(request.query).one("status"));
    return reply
      .type("text/csv; charset=utf-8")
      .header("content-disposition", 'attachment; filename="subscribers.csv"')
      .send(Readable.from(exportCsv(db, status)));
  });

  web.post(`${path}/suppress`, needs.editor, async (request, reply) => {
    const address = readFields(request.body).one("address");
    await suppressAddress(app, { address, reason: "operator", detail: null, actor: request.operator.name });
    return reply.redirect(`${path}?done=suppress`, 303);
  });

  web.post(`${path}/unsuppress`, needs.editor, async (request, reply) => {
    await unsuppressAddress(app, { address: readFields(request.body).one("address"), actor: request.operator.name });
    return reply.redirect(`${path}?done=unsuppress`, 303);
  });

  web.register(async (scope) => {
    takeUploads(scope, longestForm);
    scope.post(`${path}/import`, needs.editor, async (request, reply) => {
      const body = request.body as UploadForm;
      const pasted = typeof body["list"] === "string" ? body["list"] : "";
      const text = uploadOf(body, "file")?.content.toString("utf8") ?? pasted;
      if (text.trim() === "") throw new Refusal(422, "import_empty");
      const options = { confirmed: body["confirmed"] === "1", createTags: body["createTags"] === "1" };
      // A file is always previewed before it is imported.
      const dryRun = body["act"] !== "import" || text !== pasted;
      const report = await importSubscribers(app, readCsv(Readable.from([Buffer.from(text)]), parseColumnMap([])), {
        ...options,
        strict: false,
        dryRun,
        actor: request.operator.name,
      });
      // If nothing can be imported, the file has to be corrected, so the form does not show its content.
      const keep = dryRun && (text === pasted || report.added + report.updated > 0);
      return list(request, reply, { report: { list: keep ? text : "", ...options, report } });
    });
  });

  async function list(request: FastifyRequest, reply: FastifyReply, told: Told): Promise<FastifyReply> {
    const posted = request.method === "POST" && told.report === undefined;
    const query = readFields(posted ? request.body : request.query);
    const words = posted ? query.one("q").trim().slice(0, 320) : "";
    const status = statuses.find((one) => one === query.one("status"));
    const before = /^\d{1,15}$/.test(query.one("before")) ? Number(query.one("before")) : null;
    const [counts, found, { timezone }] = await Promise.all([
      countByStatus(db),
      findReaders(db, { words, status, before, limit: pageSize + 1 }),
      loadSchedule(db),
    ]);
    const page = found.slice(0, pageSize);
    const language = englishOf(app.config.language);
    const next = new URLSearchParams(status ? { status } : {});
    next.set("before", String(page.at(-1)?.id));
    const more = {
      path: words === "" ? `${path}?${next.toString()}` : null,
      status: status ?? "",
      before: page.at(-1)?.id,
    };
    return show(
      request,
      reply,
      { name: "readers", title: "Readers", place: "readers" },
      {
        notice: told.notice ?? null,
        query: words,
        statuses: statuses.map((one) => ({ name: one, count: number(counts[one]), chosen: one === status })),
        readers: page.map((one) => ({
          path: `${path}/${one.id}`,
          address: one.address,
          status: one.status,
          follows: one.allTags ? "all news" : count(one.tags, "tag"),
          since: shortMoment(one.createdAt, timezone, language),
        })),
        more: found.length > pageSize ? more : null,
        list: told.report?.list ?? "",
        options: { confirmed: told.report?.confirmed ?? false, createTags: told.report?.createTags ?? false },
        report: told.report ? showReport(told.report.report) : null,
      },
    );
  }
}

function showReport(report: ImportReport) {
  return {
    sentence:
      `${count(report.lines, "line")}: ${number(report.added)} new, ${number(report.updated)} updated, ` +
      `${number(report.unchanged)} unchanged, ${number(report.refusedCount)} rejected.`,
    imported: report.imported,
    ready: !report.imported && report.added + report.updated > 0,
    label: `Import ${count(report.added + report.updated, "reader")}`,
    faults: report.refused.slice(0, shownFaults).map((line) => ({ line: line.line, reason: sayRefusedLine(line) })),
    more: report.refusedCount > shownFaults ? number(report.refusedCount - shownFaults) : null,
  };
}

function doneWords(done: string): string | null {
  const words: Record<string, string> = {
    suppress: "Suppressed. This address gets no more emails.",
    unsuppress: "Suppression removed. This address gets no emails until its owner signs up again.",
    erase: "Deleted. Nothing is stored about that reader any more.",
  };
  return Object.hasOwn(words, done) ? words[done]! : null;
}
