import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { parseAddress } from "../../base/address.ts";
import { choose } from "../../subscribers/choice.ts";
import { requestSignup } from "../../subscribers/signup.ts";
import { formFields, guardForm } from "../abuse/guard.ts";
import type { Catalogue } from "../catalogue.ts";
import type { ScheduleNow } from "../schedule-now.ts";
import { allowOwnScripts } from "../security.ts";
import { askToWait } from "../ask-to-wait.ts";
import { sendProblem } from "../failures.ts";
import { problemOf } from "../problem.ts";
import type { Wording } from "../../wording/catalogue.ts";
import type { Views } from "../views.ts";
import { readFields, type Fields } from "./fields.ts";
import { isSearch, readFilled, readLink, showForm, type Filled, type FormValues, type Wrong } from "./signup-form.ts";
import { readZone, zoneOptions } from "./zones.ts";

/** The sign-up form as the front page and `/subscribe` show it. */
export interface SignupForm {
  /** As the link asks for it that led here. */
  fromLink(request: FastifyRequest): Promise<FormValues>;
  /** As it was filled in, with what is wrong. */
  again(request: FastifyRequest, fields: Fields, wrong: Wrong): Promise<FormValues>;
}

export function openSignupForm(
  app: App,
  deps: { catalogue: () => Promise<Catalogue>; schedule: ScheduleNow; words: Wording },
): SignupForm {
  const { config } = app;
  const { catalogue, schedule, words } = deps;
  const zones = zoneOptions(words);
  const basics = async (request: FastifyRequest, sent?: unknown) => {
    const [{ timezone, sendAt }, guard] = await Promise.all([schedule(), formFields(app, request, sent)]);
    return {
      wording: words.say("consent.wording", { publication: config.publicationName }),
      ownZone: timezone,
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
 * `/subscribe`: the form, and what becomes of it: a page, or JSON for a program. The answer is the same for every address,
 * whoever it belongs to; what differs is only in the mailbox.
 */
export function addSubscribePages(
  web: FastifyInstance,
  app: App,
  deps: { views: Views; form: SignupForm; catalogue: () => Promise<Catalogue> },
): void {
  const { views, form, catalogue } = deps;
  const { say, reason } = views.words;
  const guard = guardForm(app);

  web.get("/subscribe", async (request, reply) =>
    views.send(allowOwnScripts(reply.header("cache-control", "no-cache")), "subscribe", {
      title: say("subscribe.title"),
      form: await form.fromLink(request),
    }),
  );

  /** More tags for the form's search as it is typed. */
  web.get<{ Querystring: Record<string, unknown> }>("/subscribe/tags", async (request, reply) => {
    const found = (await catalogue()).find(readFields(request.query).one("q").slice(0, 100), 48);
    return reply
      .header("cache-control", "public, max-age=60")
      .send(found.map(({ name, articles }) => ({ name, articles })));
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
    if (json) {
      const message = say("subscribe.check_inbox");
      return reply.send({ ok: true, message });
    }
    return views.send(reply, "subscribed", { title: say("inbox.title") });
  });
}

/** What is wrong, field by field, in the order of the form. */
async function findWrong({ db }: App, filled: Filled): Promise<{ field: keyof Wrong; refusal: Refusal }[]> {
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
