import { type ImportReport, importSubscribers } from "../../subscribers/import.ts";
import { sayRefusedLine } from "../../texts/problems.ts";
import { countByStatus, findReaders } from "../../subscribers/store.ts";
import { countQuestions, type QuestionCounts } from "../../subscribers/questions.ts";
import { exportSuppressions, importSuppressions, type SuppressionsReport } from "../../subscribers/suppression-list.ts";
import { suppressAddress, unsuppressAddress } from "../../subscribers/suppressions.ts";
import { takeUploads, type UploadForm, uploadOf } from "../bodies.ts";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import type { SubscriberStatus } from "../../db/schema.ts";
import { toolNames } from "../../subscribers/export-formats.ts";
import { parseColumnMap, readCsv } from "../../subscribers/import-rows.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { exportCsv } from "../api/lists.ts";
import { noHead } from "../limits.ts";
import { readFields } from "../pages/fields.ts";
import { englishOf, englishWording, sayFailure } from "../../texts/catalogue.ts";
import { needs, type Show } from "./dashboard.ts";
import { number, shortMoment } from "./format.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "db">;

const { say } = englishWording();

const path = "/operator/readers";
const pageSize = 50;
const statuses = ["active", "pending", "unsubscribed", "suppressed"] as const satisfies SubscriberStatus[];
/** In bytes, enough for a list of about 100,000 readers. */
const longestForm = 10_000_000;
const shownFaults = 20;
const shownQuestionsMs = 365 * 24 * 3_600_000;

interface Answer {
  notice?: string | null;
  suppressions?: { list: string; report: SuppressionsReport };
  report?: ImportOptions & { list: string; report: ImportReport };
  /** A refused form, with its input. A file has to be chosen again. */
  refused?: { form: Form; sentence: string; address?: string; list?: string; options?: ImportOptions };
}

/** The forms of the page. */
type Form = "suppress" | "suppressions" | "import";

interface ImportOptions {
  confirmed: boolean;
  createTags: boolean;
  allTags: boolean;
}

const noOptions: ImportOptions = { confirmed: false, createTags: false, allTags: false };

/** `/operator/readers`: search, import, export and suppressions. */
export function addReadersPage(web: FastifyInstance, app: AppDeps, show: Show): void {
  const { db, clock } = app;

  web.get(path, needs.viewer, async (request, reply) => {
    const done = readFields(request.query).one("done");
    return showList(request, reply, { notice: doneText(done) });
  });

  // A POST, because URLs end up in access logs and browser histories.
  web.post(`${path}/find`, needs.viewer, (request, reply) => showList(request, reply, {}));

  web.get(`${path}/export.csv`, { ...needs.editor, ...noHead }, async (request, reply) => {
    const status = statuses.find((one) => one === readFields(request.query).one("status"));
    return reply
      .type("text/csv; charset=utf-8")
      .header("content-disposition", 'attachment; filename="subscribers.csv"')
      .send(Readable.from(exportCsv(db, status)));
  });

  for (const [act, change] of [
    [
      "suppress",
      (address: string, actor: string) => suppressAddress(app, { address, reason: "operator", detail: null, actor }),
    ],
    ["unsuppress", (address: string, actor: string) => unsuppressAddress(app, { address, actor })],
  ] as const) {
    web.post(`${path}/${act}`, needs.editor, async (request, reply) => {
      const address = readFields(request.body).one("address").trim();
      try {
        await change(address, request.operator.name);
      } catch (error) {
        return refuse(request, reply, error, { form: "suppress", address });
      }
      return reply.redirect(`${path}?done=${act}`, 303);
    });
  }

  web.get(`${path}/suppressions.csv`, { ...needs.editor, ...noHead }, async (_request, reply) =>
    reply
      .type("text/csv; charset=utf-8")
      .header("content-disposition", 'attachment; filename="suppressions.csv"')
      .send(Readable.from(exportSuppressions(app))),
  );

  web.register(async (scope) => {
    takeUploads(scope, longestForm);
    scope.post(`${path}/suppressions`, needs.editor, async (request, reply) => {
      const { text, pasted, dryRun } = uploadedList(request.body as UploadForm);
      try {
        const list = Readable.from([Buffer.from(filled(text))]);
        const report = await importSuppressions(app, list, { strict: false, dryRun, actor: request.operator.name });
        const keep = dryRun && (text === pasted || report.suppressed > 0);
        return await showList(request, reply, { suppressions: { list: keep ? text : "", report } });
      } catch (error) {
        return refuse(request, reply, error, { form: "suppressions", list: pasted });
      }
    });
    scope.post(`${path}/import`, needs.editor, async (request, reply) => {
      const body = request.body as UploadForm;
      const { text, pasted, dryRun } = uploadedList(body);
      const options = {
        confirmed: body["confirmed"] === "1",
        createTags: body["createTags"] === "1",
        allTags: body["allTags"] === "1",
      };
      try {
        const rows = readCsv(Readable.from([Buffer.from(filled(text))]), parseColumnMap([]));
        const report = await importSubscribers(app, rows, {
          ...options,
          strict: false,
          dryRun,
          actor: request.operator.name,
        });
        // If nothing can be imported, the file has to be corrected, so the form does not show its content.
        const keep = dryRun && (text === pasted || report.added + report.updated + report.suppressed > 0);
        return await showList(request, reply, { report: { list: keep ? text : "", ...options, report } });
      } catch (error) {
        return refuse(request, reply, error, { form: "import", list: pasted, options });
      }
    });
  });

  async function refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    error: unknown,
    form: Omit<NonNullable<Answer["refused"]>, "sentence">,
  ): Promise<FastifyReply> {
    if (!(error instanceof Refusal)) throw error;
    return showList(request, reply.code(error.status), { refused: { ...form, sentence: sayFailure(error) } });
  }

  async function showList(request: FastifyRequest, reply: FastifyReply, answer: Answer): Promise<FastifyReply> {
    const { report, suppressions, refused } = answer;
    const posted = request.method === "POST" && !report && !suppressions && !refused;
    const query = readFields(posted ? request.body : request.query);
    const sought = posted ? query.one("q").trim().slice(0, 320) : "";
    const status = statuses.find((one) => one === query.one("status"));
    const before = /^\d{1,15}$/.test(query.one("before")) ? Number(query.one("before")) : null;
    const [counts, questions, found, { timezone }] = await Promise.all([
      countByStatus(db),
      countQuestions(db, new Date(clock.now().getTime() - shownQuestionsMs)),
      findReaders(db, { words: sought, status, before, limit: pageSize + 1 }),
      loadSchedule(db),
    ]);
    const page = found.slice(0, pageSize);
    const language = englishOf(app.config.language);
    const next = new URLSearchParams(status ? { status } : {});
    next.set("before", String(page.at(-1)?.id));
    const more = {
      path: sought === "" ? `${path}?${next.toString()}` : null,
      status: status ?? "",
      before: page.at(-1)?.id,
    };
    return show(
      request,
      reply,
      { name: "readers", title: say("title.readers"), place: "readers" },
      {
        notice: answer.notice ?? null,
        query: sought,
        questions: questions.asked + questions.pausedReaders > 0 ? questionsInWords(questions) : null,
        filtered: status !== undefined,
        statuses: statuses.map((one) => ({ name: one, count: number(counts[one]), chosen: one === status })),
        readers: page.map((one) => ({
          path: `${path}/${one.id}`,
          address: one.address,
          status: one.status,
          paused: one.status === "active" && one.paused,
          follows: one.allTags ? say("readers.all_news") : say("count.tags", { n: one.tags }),
          since: shortMoment(one.createdAt, timezone, language),
        })),
        more: found.length > pageSize ? more : null,
        refused: { form: "", sentence: "", address: "", ...refused },
        list: report?.list ?? (refused?.form === "import" ? refused.list : ""),
        options: report ?? refused?.options ?? noOptions,
        report: report ? showReport(report.report) : null,
        suppressionList: suppressions?.list ?? (refused?.form === "suppressions" ? refused.list : ""),
        suppressions: suppressions ? showSuppressions(suppressions.report) : null,
      },
    );
  }
}

/** The list of a form with a file and a text field. A file is always previewed before it is imported. */
function uploadedList(body: UploadForm): { text: string; pasted: string; dryRun: boolean } {
  const pasted = typeof body["list"] === "string" ? body["list"] : "";
  const text = uploadOf(body, "file")?.content.toString("utf8") ?? pasted;
  return { text, pasted, dryRun: body["act"] !== "import" || text !== pasted };
}

function filled(text: string): string {
  if (text.trim() === "") throw new Refusal(422, "import_empty");
  return text;
}

function showSuppressions(report: SuppressionsReport) {
  const { lines, suppressed, unchanged, kept, refusedCount } = report;
  return {
    sentence: say("readers.suppressions_report", { lines, suppressed, unchanged, refused: refusedCount }),
    kept: kept === 0 ? null : say("readers.suppressions_kept", { kept }),
    imported: report.imported,
    ready: !report.imported && suppressed > 0,
    ...showFaults(report),
  };
}

function showFaults({ refused, refusedCount }: Pick<ImportReport, "refused" | "refusedCount">) {
  return {
    faults: refused.slice(0, shownFaults).map((line) => ({ line: line.line, reason: sayRefusedLine(line) })),
    more: refusedCount > shownFaults ? number(refusedCount - shownFaults) : null,
  };
}

function showReport(report: ImportReport) {
  return {
    sentence: say("readers.import_report", {
      lines: report.lines,
      added: report.added,
      updated: report.updated,
      unchanged: report.unchanged,
      suppressed: report.suppressed,
      refused: report.refusedCount,
    }),
    tool: report.tool && say("readers.import_tool", { tool: toolNames[report.tool] }),
    imported: report.imported,
    ready: !report.imported && report.added + report.updated + report.suppressed > 0,
    label:
      report.added + report.updated > 0
        ? say("readers.import", { n: report.added + report.updated })
        : say("readers.import_suppressions"),
    ...showFaults(report),
  };
}

function questionsInWords({ pausedReaders: n, ...counts }: QuestionCounts): string {
  return say("readers.questions", { ...counts, n });
}

function doneText(done: string): string | null {
  if (done === "suppress") return say("readers.suppressed");
  if (done === "unsuppress") return say("readers.unsuppressed");
  if (done === "erase") return say("readers.erased");
  return null;
}
