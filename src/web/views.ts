import { join } from "node:path";
import type { FastifyReply } from "fastify";
import { Liquid } from "liquidjs";
import { packageRoot } from "../base/root.ts";
import type { Assets } from "./assets.ts";
import { makeFrame } from "./frame.ts";
import type { ShownLogo } from "./logo.ts";
import { tagBoxes } from "./tag-boxes.ts";

/** The pages, made from templates/web. */
export interface Views {
  /** Answers with a reader's page. `values` are escaped wherever they are shown; every name a template uses must be there. */
  send(reply: FastifyReply, name: string, values: Values): Promise<FastifyReply>;
  /** The same as text. */
  page(name: string, values: Values): string;
  /** Any template as it is, without what surrounds readers' pages. */
  render(name: string, values: Record<string, unknown>): string;
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
  const render = (name: string, values: Record<string, unknown>): string =>
    engine.renderFileSync(name, { ...shared, ...values }) as string;
  const frame = makeFrame(options.publicationName, (values) => render("layout", values));
  const page: Views["page"] = (name, values) => frame(values.title, render(name, values));
  return {
    render,
    page,
    send: async (reply, name, values) => reply.type("text/html; charset=utf-8").send(page(name, values)),
  };
}

/** The language of the pages' own words and dates, which are English, in the publication's kind of English. */
export function pageLanguage(language: string): string {
  return /^en\b/i.test(language) ? language : "en";
}
