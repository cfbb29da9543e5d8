import type { FastifyReply } from "fastify";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Liquid } from "liquidjs";
import type { Assets } from "./assets.ts";
import { packageRoot } from "../package-root.ts";
import { registerTextTag } from "./texts.ts";
import { makeFrame } from "./frame.ts";
import { englishOf, type Wording } from "../wording/catalogue.ts";
import type { ShownLogo } from "./logo.ts";
import { tagBoxes } from "./tag-boxes.ts";

/** The pages, made from templates/web. */
export interface Views {
  /** What else readers' pages say. */
  words: Wording;
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
  words: Wording;
  assets: Assets;
}): Views {
  const { words } = options;
  const engine = new Liquid({
    templates: readTemplates(),
    outputEscape: "escape",
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    lenientIf: true,
    cache: true,
  });
  engine.registerFilter("boxes", tagBoxes);
  registerTextTag(engine, words);
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
    render: renderIn(englishOf(options.language)),
    page,
    send: async (reply, name, values) => reply.type("text/html; charset=utf-8").send(page(name, values)),
  };
}

const folder = join(packageRoot, "templates/web");
const ending = ".liquid";

/** The sources of templates/web by name: `front`, `operator/today`. */
function readTemplates(): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(ending));
  return Object.fromEntries(
    files.map((file) => [
      file.slice(0, -ending.length).replaceAll("\\", "/"),
      readFileSync(join(folder, file), "utf8"),
    ]),
  );
}
