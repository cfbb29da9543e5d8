import { askWhy } from "../../editions/explain.ts";
import { whyInWords } from "../../sentences/editions.ts";
import { type ImportReport, importSubscribers } from "../../subscribers/import.ts";
import { sayRefusedLine } from "../../sentences/problems.ts";
import { countByStatus, findReaders, findSubscriber, type Subscriber } from "../../subscribers/store.ts";
import { countQuestions, questionsOf, type QuestionCounts } from "../../subscribers/questions.ts";
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
import { type Fields, readFields } from "../pages/fields.ts";
import { englishZones, readZone, zoneName } from "../pages/timezone.ts";
import { editReader, type ReaderEdit } from "../../subscribers/edit.ts";
import { listAllTags } from "../../articles/tag-store.ts";
import { localDate } from "../../schedule/calendar.ts";
import { englishOf, englishWording, sayFailure } from "../../catalogue/catalogue.ts";
import { needs, type Show } from "./dashboard.ts";
import { number, shortMoment } from "./format.ts";
import { listEditions } from "../../editions/store.ts";
import { longDate, httpUrl } from "../../render/plain.ts";
import { parseDate } from "../../base/schedule-values.ts";
import { erase } from "../../subscribers/erase.ts";
import { noSuchReader } from "../../subscribers/preferences.ts";
import { unsubscribeReader } from "../../subscribers/unsubscribe.ts";
import { tagQuery } from "../tag-query.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "db" | "log" | "wake" | "mayMail">;

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

const offeredDates = 14;

/** `/operator/readers/:id`: one reader, and the explanation of what they got on a date. */
export function addReaderPage(web: FastifyInstance, app: AppDeps, show: Show): void {
  const { db, clock } = app;
  type Params = { Params: { id: string } };

  web.get<Params>("/operator/readers/:id", needs.viewer, async (request, reply) => {
    const done = readFields(request.query).one("done");
    return answer(request, reply, { notice: readerDone(done) });
  });

  web.post<Params>("/operator/readers/:id/edit", needs.editor, async (request, reply) => {
    const reader = await find(request.params.id);
    const draft = draftOf(readFields(request.body));
    try {
      const { pendingAddress } = await editReader(app, {
        id: reader.id,
        actor: request.operator.name,
        ...editOf(draft, showEdit(reader, { timezone: (await loadSchedule(db)).timezone, now: clock.now() })),
      });
      return await reply.redirect(
        `/operator/readers/${reader.id}?done=${pendingAddress === null ? "edit" : "address"}`,
        303,
      );
    } catch (error) {
      if (!(error instanceof Refusal) || error.status === 404 || error.status >= 500) throw error;
      return answer(request, reply.code(error.status), { notice: null, draft, wrong: error });
    }
  });

  async function answer(
    request: FastifyRequest<Params>,
    reply: FastifyReply,
    { notice, draft, wrong }: { notice: string | null; draft?: Draft; wrong?: Refusal },
  ): Promise<FastifyReply> {
    const reader = await find(request.params.id);
    const query = readFields(request.query);
    const language = englishOf(app.config.language);
    const { timezone } = await loadSchedule(db);
    const asked = query.one("date").trim();
    const date = asked === "" ? null : parseDate(asked.split(".")[0]!);
    const why = await askWhy(app, reader.id, ...(date === null ? [] : [{ date }]));
    const dates = new Set([why.date, ...(await listEditions(db, offeredDates)).map((edition) => edition.date)]);
    const at = (instant: Date | null): string | null => (instant ? shortMoment(instant, timezone, language) : null);
    const dayOf = (instant: Date): string => longDate(localDate(instant, timezone), language);
    return show(
      request,
      reply,
      { name: "reader", title: reader.address, place: "readers" },
      {
        reader: {
          path: `/operator/readers/${reader.id}`,
          address: reader.address,
          status: reader.status,
          allTags: reader.allTags,
          tags: reader.tags.map((name) => ({ name, hidden: reader.hiddenTags.includes(name) })),
          zone: reader.timezone,
          created: at(reader.createdAt),
          confirmed: at(reader.confirmedAt),
          left: at(reader.leftAt),
          paused: reader.pausedUntil && reader.pausedUntil > clock.now() ? at(reader.pausedUntil) : null,
          pausedSince: reader.status === "active" && reader.pausedSince ? dayOf(reader.pausedSince) : null,
          questions: (await questionsOf(db, reader.id)).map(({ askedAt, cause, outcome }) =>
            say("readers.question", {
              at: dayOf(askedAt),
              cause,
              outcome: outcome ?? "none",
            }),
          ),
          preview: reader.allTags ? "/operator/preview" : `/operator/preview${tagQuery(reader.tags)}`,
        },
        notice,
        edit: showEdit(reader, { timezone, now: clock.now() }, draft),
        names: (await listAllTags(db, clock.now())).map(({ name }) => name),
        zones: englishZones,
        wrong: wrong ? { field: fieldOf(wrong), sentence: sayFailure(wrong) } : null,
        why: {
          date: why.date,
          day: longDate(why.date, language),
          sentence: why.none && whyInWords(why.none, why.timezone),
          editions: why.editions.map((one) => ({
            ...one,
            sentence: whyInWords(one, one.timezone),
            path: `/operator/editions/${one.edition}`,
            articles: one.articles.map((article) => ({
              ...article,
              url: httpUrl(article.url),
              because: article.because.join(", "),
            })),
          })),
        },
        dates: [...dates]
          .toSorted()
          .toReversed()
          .map((one) => ({ date: one, label: longDate(one, language), chosen: one === why.date })),
      },
    );
  }

  web.get<Params>("/operator/readers/:id/unsubscribe", needs.editor, async (request, reply) => {
    const { id, address } = await find(request.params.id);
    return show(
      request,
      reply,
      { name: "confirm", title: say("readers.unsubscribe"), place: "readers" },
      {
        question: say("readers.unsubscribe_question", { address }),
        effect: say("readers.unsubscribe_effect"),
        label: say("readers.unsubscribe"),
        post: `/operator/readers/${id}/unsubscribe`,
        back: `/operator/readers/${id}`,
        hidden: [],
      },
    );
  });

  web.post<Params>("/operator/readers/:id/unsubscribe", needs.editor, async (request, reply) => {
    const { id } = await find(request.params.id);
    await unsubscribeReader(app, { id, actor: request.operator.name });
    return reply.redirect(`/operator/readers/${id}?done=unsubscribe`, 303);
  });

  web.get<Params>("/operator/readers/:id/erase", needs.editor, async (request, reply) => {
    const { id, address } = await find(request.params.id);
    return show(
      request,
      reply,
      { name: "confirm", title: say("readers.erase"), place: "readers" },
      {
        question: say("readers.erase_question", { address }),
        effect: say("readers.erase_effect"),
        label: say("readers.erase"),
        post: `/operator/readers/${id}/erase`,
        back: `/operator/readers/${id}`,
        hidden: [],
      },
    );
  });

  web.post<Params>("/operator/readers/:id/erase", needs.editor, async (request, reply) => {
    const { id } = await find(request.params.id);
    await erase(app, id, request.operator.name);
    return reply.redirect("/operator/readers?done=erase", 303);
  });

  async function find(raw: string): Promise<Subscriber> {
    if (!/^[1-9]\d{0,14}$/.test(raw)) throw new Refusal(404, "reader_page_not_found");
    const reader = await findSubscriber(db, Number(raw));
    if (!reader) throw noSuchReader(Number(raw));
    return reader;
  }
}

/** What was entered on a reader's page: one of its two forms. */
type Draft =
  | { address: string }
  | { allTags: boolean; kept: string[]; more: string; pause: string; zone: string; resume: boolean };

function draftOf(fields: Fields): Draft {
  if (fields.has("address")) return { address: fields.one("address") };
  return {
    allTags: fields.one("all") === "1",
    kept: fields.all("tag"),
    more: fields.one("tags"),
    pause: fields.one("pause").trim(),
    zone: fields.one("timezone"),
    resume: fields.one("resume") === "1",
  };
}

function editOf(draft: Draft, shown: { pause: string }): ReaderEdit {
  if ("address" in draft) return draft;
  const { allTags, kept, more, pause, zone, resume } = draft;
  const tags = [...kept, ...more.split(",")].filter((name) => name.trim() !== "");
  const edit = { allTags, tags, timezone: readZone(zone) };
  // The form shows the date of a pause only, and its time must not change with it.
  if (pause === shown.pause) return resume ? { ...edit, pausedUntil: null } : edit;
  return { ...edit, pausedUntil: pause === "" ? null : { date: parseDate(pause) } };
}

/** The values of the form: what was entered, otherwise what is stored. */
function showEdit(reader: Subscriber, { timezone, now }: { timezone: string; now: Date }, draft?: Draft) {
  const entered = draft === undefined || "address" in draft ? null : draft;
  const paused = reader.pausedUntil !== null && reader.pausedUntil > now ? reader.pausedUntil : null;
  const kept = new Set(entered?.kept ?? reader.tags);
  const zone = entered?.zone ?? reader.timezone ?? "";
  return {
    path: `/operator/readers/${reader.id}/edit`,
    allTags: entered?.allTags ?? reader.allTags,
    tags: reader.tags.map((name) => ({ name, kept: kept.has(name) })),
    more: entered?.more ?? "",
    pause: entered?.pause ?? (paused === null ? "" : localDate(paused, timezone)),
    resumes: reader.status === "active" && reader.pausedSince !== null,
    least: localDate(now, timezone),
    zone: zone === "" ? null : { name: zone, label: zoneName(zone) },
    publicationZone: timezone,
    address: draft !== undefined && "address" in draft ? draft.address : "",
    mayMove: reader.status === "active",
  };
}

const fieldsOfCodes: Partial<Record<string, string>> = {
  nothing_followed: "tags",
  tag_unknown: "tags",
  pause_invalid: "pause",
  date_invalid: "pause",
  timezone_invalid: "zone",
};

function fieldOf({ code }: Refusal): string {
  return fieldsOfCodes[code ?? ""] ?? "address";
}

function readerDone(done: string): string | null {
  if (done === "unsubscribe") return say("readers.unsubscribed");
  if (done === "edit") return say("readers.edited");
  if (done === "address") return say("readers.address_asked");
  return null;
}
