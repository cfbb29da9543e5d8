import { heldRevision } from "../../editions/edit-held.ts";
import { comingFindings } from "../../editions/pre-send-facts.ts";
import { editionWarmUpInWords } from "../../texts/warm-up.ts";
import { editionReason, findingInWords, linkResultInWords } from "../../texts/editions.ts";
import { mailEdition } from "../../editions/mail-edition.ts";
import { printSample, type SampleCopy, sampleOfEdition } from "../../editions/sample.ts";
import { draftLimits } from "../../editions/draft.ts";
import { type Edition, getEdition } from "../../editions/store.ts";
import { editionName, operatorPathOf, parseEditionName } from "../../base/edition-name.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { chooseTags, type TagChoice } from "../../articles/tag-choice.ts";
import { Refusal } from "../../base/errors.ts";
import { comingEdition, comingSample, comingWarmUp, type ComingEdition } from "../../editions/upcoming.ts";
import { checkLinksNow, linksOf } from "../../editions/links-now.ts";
import { longDate, httpUrl } from "../../render/plain.ts";
import { askToWait } from "../failures.ts";
import type { Catalogue } from "../tag-cache.ts";
import { type Fields, readFields } from "../pages/fields.ts";
import { framed, readView, sampleViews } from "../pages/sample.ts";
import { confineMail } from "../security.ts";
import { readTags, tagQuery } from "../tag-query.ts";
import { englishOf, englishWording, sayFailure, type MessageKey } from "../../texts/catalogue.ts";
import type { Pictures } from "../../render/types.ts";
import { needs, type Show } from "./dashboard.ts";
import {
  addEditRoutes,
  readForm,
  refusedForm,
  sampleOfForm,
  saveForm,
  type EditedEdition,
  type RefusedForm,
} from "./edit.ts";
import { applyForm, type EditedPart } from "../../editions/edit-form.ts";
import { moment, shortMoment } from "./format.ts";
import type { Db } from "../../db/schema.ts";
import { frozenWithIds, leftOutArticles } from "../../editions/frozen-articles.ts";

type AppDeps = Pick<
  App,
  "config" | "options" | "clock" | "log" | "db" | "wake" | "fetch" | "caps" | "publication" | "samples" | "templates"
>;

const { say } = englishWording();

const pictureChoices = ["off", "lead", "all"] as const satisfies Pictures[];

/** Gmail clips emails whose HTML is longer, in bytes. */
const gmailClip = 102_000;
const path = "/operator/preview";

interface Looked {
  /** null for the next edition. */
  edition: Edition | null;
  choice: TagChoice;
  copy: SampleCopy | null;
}

/**
 * `/operator/preview`: the next edition or a frozen one, as a reader of the given tags gets it, with the forms to edit the
 * next edition or a held one.
 */
export function addPreviewPage(
  web: FastifyInstance,
  app: AppDeps,
  show: Show,
  catalogue: () => Promise<Catalogue>,
): void {
  const { db } = app;
  const language = englishOf(app.config.language);

  web.get(path, needs.viewer, async (request, reply) => showPreview(request, reply, await look(request), {}));

  async function showPreview(
    request: FastifyRequest,
    reply: FastifyReply,
    { edition, choice, copy }: Looked,
    answer: Answer,
  ): Promise<FastifyReply> {
    const query = readFields(request.method === "GET" ? request.query : request.body);
    const pictures = picturesAsked(query);
    const view = readView(query.one("view"));
    const names = choice.known.map(({ name }) => name);
    const own = {
      ...(edition ? { edition: editionName(edition) } : {}),
      ...(pictures === undefined ? {} : { pictures }),
    };
    const coming = await comingEdition(app);
    const edited = edition === null ? ofComing(coming) : edition.state === "held" ? await ofHeld(db, edition) : null;
    const html = copy?.html();
    const bytes = html === undefined ? 0 : Buffer.byteLength(html);
    return show(
      request,
      answer.status === undefined ? reply : reply.code(answer.status),
      { name: "preview", title: say("title.preview"), place: edition ? "editions" : "today" },
      {
        notice: doneText(query.one("done")),
        edition: edition && {
          name: editionName(edition),
          date: longDate(edition.date, language),
          path: operatorPathOf(edition),
        },
        date: longDate(coming.date, language),
        send: coming.send && moment(coming.send.at, coming.timezone, language),
        timezone: coming.timezone,
        warmUp: editionWarmUpInWords(edition ? edition.warm_up : await comingWarmUp(app, coming)),
        names: names.join(", "),
        hidden: choice.hidden.join(", "),
        unknown: choice.unknown.filter((name) => !choice.hidden.includes(name)).join(", "),
        view,
        noArticle: say("preview.no_article"),
        pictures: {
          shown: pictures ?? app.publication.pictures,
          own: app.publication.pictures,
          asked: pictures !== undefined,
          path: Object.fromEntries(
            pictureChoices.map((one) => [
              one,
              path + tagQuery(names, { ...own, pictures: one, ...(view === "phone" ? {} : { view }) }),
            ]),
          ),
        },
        tabs: Object.entries(sampleViews).map(([key, label]) => ({
          label: say(label),
          path: path + tagQuery(names, { ...own, ...(key === "phone" ? {} : { view: key }) }),
          current: key === view,
        })),
        copy: copy && {
          subject: copy.subject,
          frame: `${path}.html${tagQuery(names, own)}`,
          text: view === "text" ? copy.text() : view === "source" ? copy.message().toString("latin1") : "",
          kilobytes: (bytes / 1_000).toFixed(0),
          clipped: bytes > gmailClip,
        },
        checks: await checksBlock(app, edition ?? coming, language),
        edit: edited && showForm(edited, answer.refused ?? null, savedParts(query.all("saved"))),
        test: { address: "", wrong: null, ...answer.test },
        limits: draftLimits,
      },
    );
  }

  addEditRoutes(web, "save", editionOfName, async (request, reply, edition) => {
    const fields = readFields(request.body);
    const own = edition ? { edition: editionName(edition) } : {};
    const view = readView(fields.one("view"));
    const shown = { ...own, ...(view === "phone" ? {} : { view }) };
    const present = await editedOf(edition);
    try {
      const { parts, article } = await saveForm(app, present, fields, request.operator.name);
      const saved = (parts.length === 0 ? ["nothing"] : parts).map((part) => `saved=${part}`).join("&");
      const query = tagQuery(tagsOf(fields), shown);
      const to = `${path}${query}${query === "" ? "?" : "&"}${saved}`;
      return await reply.redirect(`${to}#${article === null ? "edit" : `a${article}`}`, 303);
    } catch (error) {
      if (!(error instanceof Refusal) || ![409, 422].includes(error.status)) throw error;
      const refused = refusedForm(error, fields);
      return showPreview(request, reply, await lookAs(edition, tagsOf(fields)), { refused, status: error.status });
    }
  });

  addEditRoutes(web, "look", editionOfName, async (request, reply, edition) => {
    const fields = readFields(request.body);
    const choice = await chooseTags(db, tagsOf(fields));
    const copy = await printSample(app, sampleOfForm(await editedOf(edition), readForm(fields)), choice);
    const html = copy?.html() ?? `<p>${say("preview.no_article")}</p>`;
    return confineMail(reply).type("text/html; charset=utf-8").send(framed(html));
  });

  web.get(`${path}.html`, needs.viewer, async (request, reply) => {
    const { copy } = await look(request);
    if (!copy) throw new Refusal(404, "preview_empty");
    return confineMail(reply, copy.pictures).type("text/html; charset=utf-8").send(framed(copy.html()));
  });

  web.post(`${path}/test`, needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const edition = await editionOf(fields.one("edition"));
    const tags = tagsOf(fields);
    const address = fields.one("address").trim();
    try {
      await mailEdition(app, { edition, address, tags, actor: request.operator.name });
    } catch (error) {
      if (!(error instanceof Refusal) || ![422, 429].includes(error.status)) throw error;
      const test = { address, wrong: sayFailure(error) };
      askToWait(reply, error.details);
      return showPreview(request, reply, await lookAs(edition, tags), { test, status: error.status });
    }
    return reply.redirect(
      path + tagQuery(tags, { done: "test", ...(edition ? { edition: editionName(edition) } : {}) }),
      303,
    );
  });

  web.post(`${path}/check-links`, needs.editor, async (request, reply) => {
    const edition = await editionOf(readFields(request.body).one("edition"));
    await checkLinksNow(app, { edition, actor: request.operator.name });
    const own = edition ? { edition: editionName(edition) } : {};
    return reply.redirect(`${path}${tagQuery([], { ...own, done: "check-links" })}#links`, 303);
  });

  async function look(request: FastifyRequest): Promise<Looked> {
    const tags = await catalogue();
    const names = readTags(request.url, (name) => tags.get(name) !== undefined);
    const query = readFields(request.query);
    return lookAs(await editionOf(query.one("edition")), names, picturesAsked(query));
  }

  async function lookAs(edition: Edition | null, names: readonly string[], pictures?: Pictures): Promise<Looked> {
    const choice = await chooseTags(db, names);
    const made = edition ? sampleOfEdition(db, edition) : await comingSample(app);
    const of = pictures === undefined ? made : { ...made, pictures };
    // A reader who follows only hidden tags gets nothing. Without this check, the preview would show all news.
    const nothing = choice.known.length === 0 && choice.hidden.length > 0;
    return { edition, choice, copy: nothing ? null : await printSample(app, of, choice) };
  }

  async function editedOf(edition: Edition | null): Promise<EditedEdition> {
    return edition ? ofHeld(db, edition) : ofComing(await comingEdition(app));
  }

  async function editionOfName(name: string): Promise<Edition> {
    const { date, number } = parseEditionName(name);
    return getEdition(db, date, number);
  }

  async function editionOf(raw: string): Promise<Edition | null> {
    return raw === "" ? null : editionOfName(raw);
  }
}

/** What a form is answered with. */
interface Answer {
  refused?: RefusedForm;
  test?: { address: string; wrong: string };
  status?: number;
}

/** The tags of a form's field, between commas. */
function tagsOf(fields: Fields): string[] {
  return fields
    .one("tags")
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

const parts = {
  subject: "preview.part_subject",
  introduction: "preview.part_introduction",
  order: "preview.part_order",
  left_out: "preview.part_left_out",
  texts: "preview.part_texts",
} as const satisfies Record<EditedPart, MessageKey>;

/** What was saved, as a sentence; null before anything was. */
function savedParts(saved: readonly string[]): string | null {
  if (saved.length === 0) return null;
  const names = Object.entries(parts).flatMap(([part, key]) => (saved.includes(part) ? [say(key)] : []));
  return names.length === 0 ? say("preview.nothing_saved") : say("preview.saved", { parts: names.join(", ") });
}

/** The pictures to preview; undefined for those of the setting. */
function picturesAsked(query: Fields): Pictures | undefined {
  const asked = query.one("pictures");
  return pictureChoices.find((one) => one === asked);
}

function doneText(done: string): string | null {
  if (done === "test") return say("preview.test_sent");
  if (done === "check-links") return say("preview.links_checked");
  return null;
}

/** The check results on a preview. */
interface ChecksBlock {
  /** Why the edition is held; null for the next edition and for editions that are not held. */
  reason: string | null;
  /** Why the next edition would be held in its present form. */
  findings: string[];
  /** The result of the last link check, as a sentence; null if the links were not checked. */
  links: string | null;
  /** Links with problems. */
  wrong: { id: number; title: string; url: string | null; verdict: string; reason: string }[];
  post: string;
}

/** null for editions without articles and for frozen editions that are not held. */
async function checksBlock(app: AppDeps, of: Edition | ComingEdition, language: string): Promise<ChecksBlock | null> {
  const frozen = "id" in of;
  if (frozen ? of.state !== "held" : of.articles.length === 0) return null;
  const { links, unchecked } = await linksOf(app, of);
  const wrong = links.filter(({ verdict }) => verdict !== "fine");
  const last = links.map(({ checkedAt }) => checkedAt).toSorted((a, b) => b.getTime() - a.getTime())[0];
  const rest = unchecked === 0 ? "" : ` ${say("preview.links_unchecked", { n: unchecked })}`;
  return {
    reason: frozen ? editionReason(of) : null,
    findings: frozen ? [] : (await comingFindings(app, of)).map((one) => findingInWords(one)),
    links: last
      ? say("preview.links", {
          time: shortMoment(last, of.timezone, language),
          n: links.length,
          fine: links.length - wrong.length,
        }) + rest
      : null,
    wrong: wrong.map(({ id, title, url, verdict, result }) => ({
      id,
      title,
      url: httpUrl(url),
      verdict,
      reason: result === null ? "" : linkResultInWords(result),
    })),
    post: "/operator/preview/check-links",
  };
}

function ofComing({ revision, draft, date, articles }: ComingEdition): EditedEdition {
  const { subject, introduction, first } = draft;
  return { edition: null, date, number: 1, revision: String(revision), subject, introduction, first, articles };
}

export async function ofHeld(db: Db, edition: Edition): Promise<EditedEdition> {
  const [articles, out] = await Promise.all([frozenWithIds(db, edition.id), leftOutArticles(db, edition.id)]);
  const { date, number, subject, introduction } = edition;
  return {
    edition,
    date,
    number,
    revision: heldRevision(edition, articles),
    subject,
    introduction,
    first: [],
    articles: [
      ...articles.map((article) => ({ ...article, leftOut: false, original: null })),
      ...out.map((article) => ({ ...article, leftOut: true, original: null })),
    ],
  };
}

/** The form of an edition, with what was typed if it was refused. */
function showForm(present: EditedEdition, refused: RefusedForm | null, saved: string | null) {
  const { edition, revision } = present;
  const shown = refused ? applyForm(present, refused.form) : present;
  const wrongAt = (field: string): string | null => (refused?.field === field ? refused.sentence : null);
  return {
    /** Prefix of the forms' paths. */
    base: edition ? operatorPathOf(edition) : path,
    /** Its readers are fixed, and original texts cannot be restored. */
    held: edition !== null,
    revision,
    introduction: shown.introduction ?? "",
    subject: shown.subject ?? "",
    saved,
    refused: refused !== null,
    wrong: {
      form: refused && refused.field === null ? refused.sentence : null,
      subject: wrongAt("subject"),
      introduction: wrongAt("introduction"),
    },
    parts: Object.entries(parts).map(([name, key]) => ({ name, label: say(key) })),
    articles: shown.articles.map((article) => ({
      id: article.id,
      title: article.title,
      summary: article.summary,
      tags: article.tags,
      origin: article.origin?.name ?? null,
      leftOut: article.leftOut,
      edited: article.original !== null,
      wrong: { title: wrongAt(`title-${article.id}`), summary: wrongAt(`summary-${article.id}`) },
    })),
  };
}
