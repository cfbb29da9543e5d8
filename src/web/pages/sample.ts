import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { chooseTags } from "../../articles/tag-choice.ts";
import { Refusal } from "../../base/errors.ts";
import { parseAddress } from "../../base/address.ts";
import { requestSampleMail } from "../../subscribers/sample-mail.ts";
import { formFields, guardForm } from "../abuse/guard.ts";
import type { Catalogue } from "../catalogue.ts";
import { askToWait } from "../ask-to-wait.ts";
import { allowOwnScripts } from "../security.ts";
import { readTags, subscribePath, tagQuery } from "../tag-query.ts";
import type { Views } from "../views.ts";
import { readFields } from "./fields.ts";
import { makeOffers } from "./offers.ts";
import { addSampleFiles } from "./sample-files.ts";
import { findSample, readView, sampleNotes, shownAs, viewLinks } from "./sample-view.ts";

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
  app: App,
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
