import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { chooseTags, type TagChoice } from "../../articles/tag-choice.ts";
import { Refusal } from "../../base/errors.ts";
import { newestSample, printSample, type NewestSample, type SampleCopy } from "../../editions/sample.ts";
import { editionName } from "../../editions/store.ts";
import type { Catalogue } from "../catalogue.ts";
import { confineMail } from "../security.ts";
import { readTags, subscribePath, tagQuery } from "../tag-query.ts";
import type { Views } from "../views.ts";
import { makeOffers } from "./offers.ts";
import { framed, readView, sampleNotes, shownAs, viewLinks } from "./sample-view.ts";

/** `/sample`, `/sample.txt`, `/sample.eml`, and `/sample.html` for the frame: a mail before signing up for it. */
export function addSamplePages(
  web: FastifyInstance,
  app: App,
  { views, catalogue }: { views: Views; catalogue: () => Promise<Catalogue> },
): void {
  web.get<{ Querystring: Record<string, unknown> }>("/sample", async (request, reply) => {
    const tags = await catalogue();
    const { choice, from, copy } = await sampleFor(app, request, tags);
    const view = readView(request.query["view"]);
    const names = choice.known.map(({ name }) => name);
    const offers = makeOffers(tags, { first: names, chosen: names, query: "" });
    if (names.length === 0 && choice.unknown.length > 0) reply.code(404);
    return views.send(reply.header("cache-control", "no-store"), "sample", {
      title: "Sample copy",
      names,
      unknown: choice.unknown,
      copy: copy && { subject: copy.subject, from: sender(app), ...shownAs(copy, view, names) },
      notes: sampleNotes(from, choice, app.config.language),
      view,
      tabs: viewLinks(names, view),
      offers: [...offers.first, ...offers.popular],
      paths: { message: `/sample.eml${tagQuery(names)}`, subscribe: subscribePath(names) },
    });
  });

  for (const [ending, send] of Object.entries(forms)) {
    web.get(`/sample.${ending}`, async (request, reply) => {
      const { choice, from, copy } = await sampleFor(app, request, await catalogue());
      if (choice.known.length === 0 && choice.unknown.length > 0) throw unknownTags(choice);
      if (!copy) throw new Refusal(404, "There is no article yet to make this sample copy of: look at the page /sample.");
      return send(reply.header("cache-control", "no-cache"), copy, editionName(from.of.edition));
    });
  }
}

const forms: Record<string, (reply: FastifyReply, copy: SampleCopy, name: string) => FastifyReply> = {
  html: (reply, copy) => confineMail(reply).type("text/html; charset=utf-8").send(framed(copy.html())),
  txt: (reply, copy) => reply.type("text/plain; charset=utf-8").send(copy.text()),
  eml: (reply, copy, name) =>
    reply
      .type("message/rfc822")
      .header("content-disposition", `attachment; filename="sample-${name}.eml"`)
      .send(copy.message()),
};

async function sampleFor(
  app: App,
  request: FastifyRequest,
  tags: Catalogue,
): Promise<{ choice: TagChoice; from: NewestSample; copy: SampleCopy | null }> {
  const choice = await chooseTags(app.db, readTags(request.url, (name) => tags.get(name) !== undefined));
  const from = await newestSample(app, choice);
  return { choice, from, copy: await printSample(app, from.of, choice) };
}

function sender({ publication }: App): string {
  const { name, address } = publication.from;
  return name === "" ? address : `${name} <${address}>`;
}

function unknownTags({ unknown }: TagChoice): Refusal {
  const names = unknown.map((name) => JSON.stringify(name)).join(", ");
  return new Refusal(404, `No article has had the tag ${names}: the page /sample offers those that there are.`);
}
