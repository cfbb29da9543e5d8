import { requestSampleMail } from "../../subscribers/request-mail.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { chooseTags, type TagChoice } from "../../articles/tag-choice.ts";
import { Refusal, echo } from "../../base/errors.ts";
import { parseAddress } from "../../base/address.ts";
import { formFields, guardForm } from "../abuse/guard.ts";
import type { Catalogue } from "../tag-cache.ts";
import { askToWait } from "../failures.ts";
import { allowOwnScripts, confineMail } from "../security.ts";
import { readTags, subscribePath, tagQuery } from "../tag-query.ts";
import type { Views } from "../views.ts";
import { readFields } from "./fields.ts";
import { makeOffers } from "./offers.ts";
import { type SampleCopy, newestSample, printSample, type NewestSample } from "../../editions/sample.ts";
import { editionName } from "../../base/edition-name.ts";
import type { Wording } from "../../texts/catalogue.ts";
import { showPublished } from "./editions.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "log" | "db" | "wake" | "caps" | "publication" | "samples">;

const longestAddress = 320;

/** What somebody typed who wants a sample copy by mail, and what is wrong with it. */
interface Typed {
  address: string;
  wrong: { address?: string; form?: string };
  sent: unknown;
}

/**
 * `/sample`: a mail before signing up for it. It is made by the way of a real one and written nowhere. POST sends one to
 * an address, under the caps of sign-up and with the same answer for every address.
 */
export function addSamplePages(
  web: FastifyInstance,
  app: AppDeps,
  { views, catalogue }: { views: Views; catalogue: () => Promise<Catalogue> },
): void {
  const { publication } = app;
  const { words } = views;
  const guard = guardForm(app);
  addSampleFiles(web, app, catalogue);

  const asked = async (request: FastifyRequest): Promise<string[]> => {
    const tags = await catalogue();
    return readTags(request.url, (name) => tags.get(name) !== undefined);
  };

  web.get("/sample", async (request, reply) => show(request, reply, await asked(request)));

  web.post("/sample", async (request, reply) => {
    const fields = readFields(request.body);
    const address = fields.one("address").trim().slice(0, longestAddress);
    const names = (await chooseTags(app.db, await asked(request))).known.map(({ name }) => name);
    try {
      if (address === "") throw new Refusal(422, "no_address");
      parseAddress(address);
      // A script that gave itself away is told what everybody is told.
      if (await guard.check(request, fields.raw)) await requestSampleMail(app, { address, tags: names });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { challenge, again } = error.details;
      const ofForm = error.status !== 422 || challenge !== undefined || again !== undefined;
      const wrong = { [ofForm ? "form" : "address"]: words.reason(error) };
      return show(request, askToWait(reply, error.details).code(error.status), names, {
        address,
        wrong,
        sent: fields.raw["t"] ?? "",
      });
    }
    return views.send(reply.header("cache-control", "no-store"), "sample-sent", {
      title: words.say("inbox.title"),
      paths: { sample: `/sample${tagQuery(names)}`, subscribe: subscribePath(names) },
    });
  });

  async function show(
    request: FastifyRequest,
    reply: FastifyReply,
    wanted: string[],
    typed?: Typed,
  ): Promise<FastifyReply> {
    const { choice, from, copy } = await findSample(app, wanted);
    const view = readView(readFields(request.query).one("view"));
    const names = choice.known.map(({ name }) => name);
    const offers = makeOffers(await catalogue(), { first: names, chosen: names, query: "" }, words.language);
    if (names.length === 0 && choice.unknown.length > 0) reply.code(404);
    return views.send(allowOwnScripts(reply.header("cache-control", "no-store")), "sample", {
      title: words.say("sample.title"),
      names,
      unknown: choice.unknown,
      copy: copy && { subject: copy.subject, from: publication.from, ...shownAs(copy, view, names) },
      notes: sampleNotes(from, choice, words),
      view,
      tabs: viewLinks(names, view, words),
      offers: [...offers.first, ...offers.popular],
      paths: {
        message: `/sample.eml${tagQuery(names)}`,
        send: `/sample${tagQuery(names)}`,
        subscribe: subscribePath(names),
      },
      form: {
        address: typed?.address ?? "",
        wrong: { address: null, form: null, ...typed?.wrong },
        guard: await formFields(app, request, typed?.sent),
      },
    });
  }
}

const forms: Record<string, (reply: FastifyReply, copy: SampleCopy, name: string) => FastifyReply> = {
  html: (reply, copy) => confineMail(reply, copy.pictures).type("text/html; charset=utf-8").send(framed(copy.html())),
  txt: (reply, copy) => reply.type("text/plain; charset=utf-8").send(copy.text()),
  eml: (reply, copy, name) =>
    reply
      .type("message/rfc822")
      .header("content-disposition", `attachment; filename="sample-${name}.eml"`)
      .send(copy.message()),
};

/** `/sample.txt`, `/sample.eml`, and `/sample.html` for the frame of the page. */
function addSampleFiles(web: FastifyInstance, app: AppDeps, catalogue: () => Promise<Catalogue>): void {
  for (const [ending, send] of Object.entries(forms)) {
    web.get(`/sample.${ending}`, async (request, reply) => {
      const tags = await catalogue();
      const names = readTags(request.url, (name) => tags.get(name) !== undefined);
      const { choice, from, copy } = await findSample(app, names);
      if (choice.known.length === 0 && choice.unknown.length > 0) {
        const named = choice.unknown.map((name) => `"${echo(name)}"`).join(", ");
        throw new Refusal(404, "sample_tag_unknown", { tags: named });
      }
      if (!copy) throw new Refusal(404, "sample_empty");
      return send(reply.header("cache-control", "no-cache"), copy, editionName(from.of.edition));
    });
  }
}

/** The ways to look at a sample copy; the first is what a plain address shows. */
export const sampleViews = {
  phone: "sample.view_phone",
  desktop: "sample.view_desktop",
  text: "sample.view_text",
  source: "sample.view_source",
} as const;
type SampleView = keyof typeof sampleViews;

/** The sample copy of the tags that somebody named; `copy` is null when no article has any of them. */
async function findSample(
  app: AppDeps,
  names: readonly string[],
): Promise<{ choice: TagChoice; from: NewestSample; copy: SampleCopy | null }> {
  const choice = await chooseTags(app.db, names);
  const from = await newestSample(app, choice);
  return { choice, from, copy: await printSample(app, from.of, choice) };
}

export function readView(raw: unknown): SampleView {
  return typeof raw === "string" && Object.hasOwn(sampleViews, raw) ? (raw as SampleView) : "phone";
}

/** The links from one way to look to the others. */
function viewLinks(names: readonly string[], current: SampleView, { say }: Wording): object[] {
  return Object.entries(sampleViews).map(([view, label]) => ({
    label: say(label),
    path: `/sample${tagQuery(names, view === "phone" ? {} : { view })}`,
    current: view === current,
  }));
}

/** What the sample copy is, and why it is not of the newest edition where it is not. */
function sampleNotes(
  { edition, passedOver }: NewestSample,
  { known, unknown }: Pick<TagChoice, "known" | "unknown">,
  words: Wording,
): { what: string; why: string | null } {
  const { say } = words;
  const instead = known.length === 0 && unknown.length > 0;
  if (edition) {
    const { date, extra } = showPublished(edition, words);
    const named = { date: extra === null ? date : `${date} (${extra})` };
    return {
      what: instead
        ? say("sample.what_instead", named)
        : known.length > 0
          ? say("sample.what_tags", named)
          : say("sample.what_all", named),
      why: passedOver ? say("sample.why_older") : null,
    };
  }
  return {
    what: instead
      ? say("sample.newest_instead")
      : known.length > 0
        ? say("sample.newest_tags")
        : say("sample.newest_all"),
    why: passedOver ? say("sample.why_none") : say("sample.why_first"),
  };
}

/** How a copy is shown under `view`: the address of a frame, or a text. */
function shownAs(copy: SampleCopy, view: SampleView, names: readonly string[]): { frame: string | null; text: string } {
  if (view === "text") return { frame: null, text: copy.text() };
  if (view === "source") return { frame: null, text: copy.message().toString("latin1") };
  return { frame: `/sample.html${tagQuery(names)}`, text: "" };
}

const logoAddress = /src="https?:\/\/[^"]+\/assets\/logo\./;

/**
 * The mail's HTML for a frame: articles open beside the page, for most sites refuse to be framed, and the links that do
 * nothing are no links, for otherwise they would open as well. The logo comes from where the page does.
 */
export function framed(html: string): string {
  return html
    .replace(/<head>/i, '$&<base target="_blank">')
    .replaceAll(/ href="#"/g, "")
    .replace(logoAddress, 'src="/assets/logo.');
}
