import { choose, requestSignup } from "../../subscribers/signup.ts";
import { type Fields, readFields } from "./fields.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { parseAddress } from "../../base/address.ts";
import { formFields, guardForm } from "../abuse/guard.ts";
import type { Catalogue, ScheduleNow } from "../tag-cache.ts";
import { allowOwnScripts } from "../security.ts";
import { askToWait, sendProblem, problemOf } from "../failures.ts";
import type { Wording } from "../../texts/catalogue.ts";
import type { Views } from "../views.ts";
import { addZoneExamples, readZone, zoneOptions, zoneName } from "./timezone.ts";
import { readTags } from "../tag-query.ts";
import { freshTag, makeOffers, mostFound } from "./offers.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "log" | "db" | "wake" | "caps">;

/** The sign-up form as the front page and `/subscribe` show it. */
export interface SignupForm {
  /** As the link asks for it that led here. */
  fromLink(request: FastifyRequest): Promise<FormValues>;
  /** As it was filled in, with what is wrong. */
  again(request: FastifyRequest, fields: Fields, wrong: Wrong): Promise<FormValues>;
}

export function openSignupForm(
  app: AppDeps,
  deps: { catalogue: () => Promise<Catalogue>; schedule: ScheduleNow; words: Wording },
): SignupForm {
  const { config } = app;
  const { catalogue, schedule, words } = deps;
  const zones = zoneOptions(words);
  const basics = async (request: FastifyRequest, sent?: unknown) => {
    const [{ timezone, sendAt }, guard] = await Promise.all([schedule(), formFields(app, request, sent)]);
    return {
      wording: words.say("consent.wording", { publication: config.publicationName }),
      ownZone: zoneName(timezone),
      publicationZone: timezone,
      sendAt,
      guard,
      zones,
      language: words.language,
    };
  };
  return {
    async fromLink(request) {
      const [tags, more] = await Promise.all([catalogue(), basics(request)]);
      const { filled, brought, trusted } = readLink(request, tags);
      return showForm(tags, filled, { ...more, brought, trusted });
    },
    async again(request, fields, wrong) {
      const [tags, more] = await Promise.all([catalogue(), basics(request, fields.raw["t"] ?? "")]);
      return showForm(tags, readFilled(fields), { ...more, wrong });
    },
  };
}

/**
 * `/subscribe`: the form, and the answer to it as a page or as JSON. The answer is the same for every address. Only the
 * email differs.
 */
export function addSubscribePages(
  web: FastifyInstance,
  app: AppDeps,
  deps: { views: Views; form: SignupForm; catalogue: () => Promise<Catalogue>; schedule: ScheduleNow },
): void {
  const { views, form, catalogue, schedule } = deps;
  const { say, reason } = views.words;
  addZoneExamples(web, app, { schedule, words: views.words });
  const guard = guardForm(app);

  web.get("/subscribe", async (request, reply) =>
    views.send(allowOwnScripts(reply.header("cache-control", "no-cache")), "subscribe", {
      title: say("subscribe.title"),
      form: await form.fromLink(request),
    }),
  );

  /** More tags for the form's search as it is typed. */
  web.get<{ Querystring: Record<string, unknown> }>("/subscribe/tags", async (request, reply) => {
    const query = readFields(request.query).one("q").slice(0, 100);
    const tags = await catalogue();
    const found = tags.find(query, mostFound).map(({ name, articles }) => ({ name, articles }));
    return reply.header("cache-control", "public, max-age=60").send({ found, fresh: freshTag(tags, query) });
  });

  web.post("/subscribe", async (request, reply) => {
    const json = isJson(request);
    const fields = readFields(json ? fromJson(request.body) : request.body);
    const filled = readFilled(fields);
    reply.header("cache-control", "no-store");
    const again = async (status: number, wrong: Wrong): Promise<FastifyReply> =>
      views.send(allowOwnScripts(reply.code(status)), "subscribe", {
        title: status === 200 ? say("subscribe.title") : say("form.wrong_title"),
        form: await form.again(request, fields, wrong),
      });
    if (!json && isSearch(fields)) return again(200, {});
    const wrong = await findWrong(app, filled);
    const [first] = wrong;
    if (first) {
      if (!json) return again(422, Object.fromEntries(wrong.map(({ field, refusal }) => [field, reason(refusal)])));
      const problem = problemOf(first.refusal, undefined, views.words);
      return sendProblem(reply, { ...problem, details: { ...problem.details, field: first.field } });
    }
    try {
      // A script that gave itself away is told what everybody is told, and nothing is kept.
      const real = await guard.check(request, fields.raw);
      const signup = {
        address: filled.address,
        tags: filled.tags,
        allTags: filled.allTags,
        timezone: readZone(filled.timezone),
        formUrl: formUrl(request, fields, app.config.publicUrl),
        from: request.ip,
      };
      if (real) await requestSignup(app, signup);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (json) return sendProblem(reply, problemOf(error, undefined, views.words));
      askToWait(reply, error.details);
      return again(error.status, { form: reason(error) });
    }
    const { newTags } = await choose(app.db, filled);
    if (json) {
      const tags = newTags.join(", ");
      const more = newTags.length === 0 ? [] : [say("subscribe.new_tags", { n: newTags.length, tags })];
      return reply.send({ ok: true, message: [say("subscribe.check_inbox"), ...more].join(" "), newTags });
    }
    return views.send(reply, "subscribed", { title: say("inbox.title"), newTags });
  });
}

/** What is wrong, field by field, in the order of the form. */
async function findWrong({ db }: Pick<App, "db">, filled: Filled): Promise<{ field: keyof Wrong; refusal: Refusal }[]> {
  const checks: [keyof Wrong, () => unknown][] = [
    ["tags", () => choose(db, filled)],
    ["address", () => parseAddress(filled.address)],
    ["timezone", () => readZone(filled.timezone)],
  ];
  const wrong: { field: keyof Wrong; refusal: Refusal }[] = [];
  for (const [field, check] of checks) {
    try {
      if (field === "address" && filled.address === "") throw new Refusal(422, "no_address");
      await check();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      wrong.push({ field, refusal: error });
    }
  }
  return wrong;
}

function isJson({ headers }: FastifyRequest): boolean {
  return /^application\/json\b/i.test(headers["content-type"] ?? "");
}

/** The names of the form's fields, for what a program sends. */
function fromJson(body: unknown): object {
  const { allTags, timezone, ...rest } = (body ?? {}) as Record<string, unknown>;
  return { ...rest, all: allTags === true ? "1" : "", timezone: timezone ?? "" };
}

/** The page that the form stood on, for the consent record: as the box says it, as the browser says it, or our own. */
function formUrl({ headers }: FastifyRequest, fields: Fields, publicUrl: string): string {
  return (fields.one("formUrl") || headers.referer || `${publicUrl}/subscribe`).slice(0, 1_000);
}

/** What a reader has put into the sign-up form. */
interface Filled {
  address: string;
  tags: string[];
  allTags: boolean;
  /** As sent; "" is the publication's zone. */
  timezone: string;
  /** What is searched for among the tags. */
  query: string;
}

/** What is wrong, a sentence each, by the field it belongs to; `form` is none of them. */
type Wrong = Partial<Record<"address" | "tags" | "timezone" | "form", string>>;

/** What a template shows; see templates/web/signup-form.liquid. */
type FormValues = ReturnType<typeof showForm>;

const longestAddress = 320;

function readFilled(fields: Fields): Filled {
  return {
    address: fields.one("address").trim().slice(0, longestAddress),
    tags: fields.all("tags"),
    allTags: fields.one("all") === "1",
    timezone: fields.one("timezone").trim(),
    query: fields.one("q").slice(0, 100),
  };
}

/**
 * Whether the form asks for other tags to choose from, and not to sign up. Enter in the address field presses a form's
 * first button, which is that of the search: so the search counts only if what is searched for is new.
 */
function isSearch(fields: Fields): boolean {
  return fields.has("find") && fields.one("q").trim() !== fields.one("shown");
}

/**
 * The form for the tags in a link, such as `?tags=lg%20u%2B,huawei`. A stranger's link must not choose for the reader: tags
 * are ticked only if the reader comes from one of our pages or from a site that articles come from.
 */
function readLink(
  request: FastifyRequest,
  catalogue: Catalogue,
): { filled: Filled; brought: string[]; trusted: boolean } {
  const filled = { ...readFilled(readFields(request.query)), address: "", timezone: "" };
  const brought = readTags(request.url, (name) => catalogue.get(name) !== undefined).slice(0, 50);
  const trusted = comesFromUs(request, catalogue);
  return { filled: { ...filled, tags: trusted ? brought : [], allTags: trusted && filled.allTags }, brought, trusted };
}

/** No browser lets a page forge these headers (Fetch Metadata; Fetch, "forbidden request-header"). */
function comesFromUs({ headers }: FastifyRequest, catalogue: Catalogue): boolean {
  if (headers["sec-fetch-site"] === "same-origin") return true;
  const { referer } = headers;
  return referer !== undefined && headers["sec-fetch-site"] !== "none" && catalogue.isOwnSite(referer);
}

function showForm(
  catalogue: Catalogue,
  filled: Filled,
  more: {
    brought?: readonly string[];
    trusted?: boolean;
    wrong?: Wrong;
    wording: string;
    ownZone: string;
    publicationZone: string;
    sendAt: string;
    guard: { t: string; challenge: boolean };
    zones: string;
    language: string;
  },
) {
  const { brought = [], trusted = false, wrong = {} } = more;
  const offers = makeOffers(
    catalogue,
    { first: [...brought, ...filled.tags], chosen: filled.tags, query: filled.query },
    more.language,
  );
  return {
    ...filled,
    offers,
    brought: brought.some((tag) => catalogue.get(tag)) ? (trusted ? "ticked" : "unticked") : null,
    strangers: brought.map((tag) => freshTag(catalogue, tag)).filter((tag) => tag !== null),
    wrong: { address: null, tags: null, timezone: null, form: null, ...wrong },
    zones: more.zones,
    zoneName: filled.timezone === "" ? null : zoneName(filled.timezone),
    wording: more.wording,
    ownZone: more.ownZone,
    publicationZone: more.publicationZone,
    sendAt: more.sendAt,
    guard: more.guard,
  };
}
