import { join } from "node:path";
import type { FastifyReply } from "fastify";
import { Liquid } from "liquidjs";
import { packageRoot } from "../base/root.ts";
import type { Assets } from "./assets.ts";
import type { ShownLogo } from "./logo.ts";
import { tagBoxes } from "./tag-boxes.ts";

/** The pages, made from templates/web. */
export interface Views {
  /** Answers with a page. `values` are escaped wherever they are shown; every name a template uses must be there. */
  send(reply: FastifyReply, page: string, values: Values): Promise<FastifyReply>;
  /** A page, or a part of one, as text. */
  render(page: string, values: Record<string, unknown>): string;
}

type Values = { title: string } & Record<string, unknown>;

export function openViews(options: {
  publicationName: string;
  logo: ShownLogo | null;
  language: string;
  assets: Assets;
}): Views {
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
    logo: options.logo,
    language: options.language,
    pageLanguage: pageLanguage(options.language),
    assets: options.assets.links,
  };
  // Templates are read once and kept, so nothing is waited for, and no promises are needed.
  const render = (page: string, values: Record<string, unknown>): string =>
    engine.renderFileSync(page, { ...shared, ...values }) as string;
  return {
    render,
    send: async (reply, page, values) => reply.type("text/html; charset=utf-8").send(render(page, values)),
  };
}

/** The language of the pages' own words and dates, which are English, in the publication's kind of English. */
export function pageLanguage(language: string): string {
  return /^en\b/i.test(language) ? language : "en";
}
