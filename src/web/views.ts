import { join } from "node:path";
import type { FastifyReply } from "fastify";
import { Liquid } from "liquidjs";
import { packageRoot } from "../base/root.ts";
import type { Assets } from "./assets.ts";
import { tagBoxes } from "./tag-boxes.ts";

/** The pages, made from templates/web. */
export interface Views {
  /** Answers with a page. `values` are escaped wherever they are shown; every name a template uses must be there. */
  send(reply: FastifyReply, page: string, values: { title: string } & Record<string, unknown>): Promise<FastifyReply>;
}

export function openViews(options: { publicationName: string; language: string; assets: Assets }): Views {
  const engine = new Liquid({
    root: join(packageRoot, "templates/web"),
    extname: ".liquid",
    outputEscape: "escape",
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    lenientIf: true,
    cache: true,
  });
  engine.registerFilter("boxes", tagBoxes);
  const shared = {
    publication: options.publicationName,
    language: options.language,
    pageLanguage: pageLanguage(options.language),
    assets: options.assets.links,
  };
  return {
    // Templates are read once and kept, so nothing is waited for, and no promises are needed.
    async send(reply, page, values) {
      const html = engine.renderFileSync(page, { ...shared, ...values }) as string;
      return reply.type("text/html; charset=utf-8").send(html);
    },
  };
}

/** The language of the pages' own words and dates, which are English, in the publication's kind of English. */
export function pageLanguage(language: string): string {
  return /^en\b/i.test(language) ? language : "en";
}
