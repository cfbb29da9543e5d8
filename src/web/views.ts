import type { FastifyReply } from "fastify";
import { Liquid } from "liquidjs";
import type { Assets } from "./assets.ts";
import { makeFrame } from "./frame.ts";
import { readTemplates } from "./language/templates.ts";
import { inEnglishOf, type PageWords } from "./language/words.ts";
import type { ShownLogo } from "./logo.ts";
import { tagBoxes } from "./tag-boxes.ts";

/** The pages, made from templates/web. */
export interface Views {
  /** What else readers' pages say. */
  words: PageWords;
  /** Answers with a reader's page. `values` are escaped wherever they are shown; every name a template uses must be there. */
  send(reply: FastifyReply, name: string, values: Values): Promise<FastifyReply>;
  /** The same as text. */
  page(name: string, values: Values): string;
  /** A template of operators' pages as it is, in English, without what surrounds readers' pages. */
  render(name: string, values: Record<string, unknown>): string;
}

type Values = { title: string } & Record<string, unknown>;

export function openViews(options: {
  publicationName: string;
  logo: ShownLogo | null;
  /** The publication's. */
  language: string;
  words: PageWords;
  assets: Assets;
}): Views {
  const { words } = options;
  const engine = new Liquid({
    templates: readTemplates(words.translate),
    outputEscape: "escape",
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    lenientIf: true,
    cache: true,
  });
  engine.registerFilter("boxes", tagBoxes);
  engine.registerFilter("plural", words.plural);
  const shared = {
    publication: options.publicationName,
    logo: options.logo,
    language: options.language,
    assets: options.assets.links,
  };
  // Templates are read once and kept, so nothing is waited for, and no promises are needed.
  const renderIn = (pageLanguage: string) => (name: string, values: Record<string, unknown>) =>
    engine.renderFileSync(name, { ...shared, pageLanguage, ...values }) as string;
  const forReaders = renderIn(words.language);
  const frame = makeFrame(options.publicationName, (values) => forReaders("layout", values));
  const page: Views["page"] = (name, values) => frame(values.title, forReaders(name, values));
  return {
    words,
    render: renderIn(inEnglishOf(options.language)),
    page,
    send: async (reply, name, values) => reply.type("text/html; charset=utf-8").send(page(name, values)),
  };
}
