import type { FastifyInstance, FastifyReply } from "fastify";
import type { App } from "../../app.ts";
import { echo, Refusal } from "../../base/errors.ts";
import type { SampleCopy } from "../../editions/sample.ts";
import { editionName } from "../../base/edition-name.ts";
import type { Catalogue } from "../catalogue.ts";
import { confineMail } from "../security.ts";
import { readTags } from "../tag-query.ts";
import { framed, findSample } from "./sample-view.ts";

const forms: Record<string, (reply: FastifyReply, copy: SampleCopy, name: string) => FastifyReply> = {
  html: (reply, copy) => confineMail(reply).type("text/html; charset=utf-8").send(framed(copy.html())),
  txt: (reply, copy) => reply.type("text/plain; charset=utf-8").send(copy.text()),
  eml: (reply, copy, name) =>
    reply
      .type("message/rfc822")
      .header("content-disposition", `attachment; filename="sample-${name}.eml"`)
      .send(copy.message()),
};

/** `/sample.txt`, `/sample.eml`, and `/sample.html` for the frame of the page. */
export function addSampleFiles(web: FastifyInstance, app: App, catalogue: () => Promise<Catalogue>): void {
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
