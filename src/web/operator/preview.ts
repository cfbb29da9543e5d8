import type { FastifyInstance, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { chooseTags, type TagChoice } from "../../articles/tag-choice.ts";
import { Refusal } from "../../base/errors.ts";
import { comingEdition, comingSample } from "../../editions/coming.ts";
import { checkLinksNow } from "../../editions/links-now.ts";
import { mailEdition } from "../../editions/mail-edition.ts";
import { draftLimits } from "../../editions/editors-texts.ts";
import { printSample, type SampleCopy } from "../../editions/sample.ts";
import { sampleOfEdition } from "../../editions/sample-stencils.ts";
import { getEdition, type Edition } from "../../editions/store.ts";
import { operatorPathOf, editionName, parseEditionName } from "../../base/edition-name.ts";
import { longDate } from "../../render/dates.ts";
import type { Catalogue } from "../catalogue.ts";
import { readFields } from "../pages/fields.ts";
import { framed, readView, sampleViews } from "../pages/sample-view.ts";
import { confineMail } from "../security.ts";
import { readTags, tagQuery } from "../tag-query.ts";
import { englishOf, englishWording } from "../../wording/catalogue.ts";
import { needs, type Show } from "./desk.ts";
import { checksBlock } from "./preview-checks.ts";
import { ofComing, ofHeld } from "./preview-edit.ts";
import { moment } from "./format.ts";

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
export function addPreviewPage(web: FastifyInstance, app: App, show: Show, catalogue: () => Promise<Catalogue>): void {
  const { db } = app;
  const language = englishOf(app.config.language);

  web.get(path, needs.viewer, async (request, reply) => {
    const { edition, choice, copy } = await look(request);
    const view = readView(readFields(request.query).one("view"));
    const names = choice.known.map(({ name }) => name);
    const own = edition ? { edition: editionName(edition) } : {};
    const coming = await comingEdition(app);
    const html = copy?.html();
    const bytes = html === undefined ? 0 : Buffer.byteLength(html);
    return show(
      request,
      reply,
      { name: "preview", title: "Preview", place: edition ? "editions" : "today" },
      {
        notice: doneWords(readFields(request.query).one("done")),
        edition: edition && {
          name: editionName(edition),
          words: longDate(edition.date, language),
          path: operatorPathOf(edition),
        },
        date: longDate(coming.date, language),
        send: coming.send && moment(coming.send.at, coming.timezone, language),
        timezone: coming.timezone,
        names: names.join(", "),
        hidden: choice.hidden.join(", "),
        unknown: choice.unknown.filter((name) => !choice.hidden.includes(name)).join(", "),
        view,
        tabs: Object.entries(sampleViews).map(([key, label]) => ({
          label: englishWording().say(label),
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
        gate: await checksBlock(app, edition ?? coming, { path, language }),
        edit: edition === null ? ofComing(coming, path) : edition.state === "held" ? await ofHeld(db, edition) : null,
        limits: draftLimits,
      },
    );
  });

  web.get(`${path}.html`, needs.viewer, async (request, reply) => {
    const { copy } = await look(request);
    if (!copy) throw new Refusal(404, "preview_empty");
    return confineMail(reply).type("text/html; charset=utf-8").send(framed(copy.html()));
  });

  web.post(`${path}/test`, needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const edition = await editionOf(fields.one("edition"));
    const tags = fields
      .one("tags")
      .split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "");
    await mailEdition(app, { edition, address: fields.one("address").trim(), tags, actor: request.operator.name });
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
    const [edition, choice] = await Promise.all([
      editionOf(readFields(request.query).one("edition")),
      chooseTags(db, names),
    ]);
    const of = edition ? sampleOfEdition(db, edition) : await comingSample(app);
    // A reader who follows only hidden tags gets nothing. Without this check, the preview would show all news.
    const nothing = choice.known.length === 0 && choice.hidden.length > 0;
    return { edition, choice, copy: nothing ? null : await printSample(app, of, choice) };
  }

  async function editionOf(raw: string): Promise<Edition | null> {
    if (raw === "") return null;
    const { date, number } = parseEditionName(raw);
    return getEdition(db, date, number);
  }
}

function doneWords(done: string): string | null {
  if (done === "edit") return "Saved. This is how the edition looks now.";
  if (done === "test") return "Test email queued. It is sent in the same way as readers’ emails.";
  if (done === "check-links") return "Links checked. See the results below.";
  return null;
}
