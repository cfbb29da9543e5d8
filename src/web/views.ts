import type { FastifyReply } from "fastify";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Liquid, Hash, Tag, type Context, type Emitter, type TagToken, type TopLevelToken } from "liquidjs";
import type { Assets, ShownLogo } from "./assets.ts";
import type { PublicationLink } from "../render/types.ts";
import { packageRoot } from "../package-root.ts";
import { englishOf, type Wording, type MessageKey, type MessageValues } from "../texts/catalogue.ts";
import { escapeHtml } from "../render/plain.ts";

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
  policies: readonly PublicationLink[];
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
    policies: options.policies,
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

/** Puts a page into what surrounds all readers' pages. `content` is HTML, `title` a text. */
type Frame = (title: string, content: string) => string;

/** Of a private use area, so that no template has them. */
const titleMark = "\uE000";
const contentMark = "\uE001";

/**
 * Renders the surroundings once: they are the same on every page but for the title, and a third of what the template engine
 * would have to do for each.
 * @param render templates/web/layout.liquid, which shows `title` and `content` once each, in this order
 */
function makeFrame(publication: string, render: (values: { title: string; content: string }) => string): Frame {
  const pieces = render({ title: titleMark, content: contentMark }).split(new RegExp(`${titleMark}|${contentMark}`));
  const [head, middle, tail] = pieces as [string, string, string];
  return (title, content) => {
    const shown = title === publication ? title : `${title} - ${publication}`;
    return `${head}${escapeHtml(shown)}${middle}${content}${tail}`;
  };
}

/**
 * Teaches a template engine the tag `{% t confirm.title name: value, … %}`: the text of a key, filled in. Texts may hold
 * HTML; what fills them in is escaped.
 */
function registerTextTag(engine: Liquid, wording: Wording): void {
  engine.registerTag(
    "t",
    class extends Tag {
      private readonly key: MessageKey;
      private readonly values: Hash;

      constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid) {
        super(token, remaining, liquid);
        const [key = "", ...values] = token.args.trim().split(/\s+/);
        this.key = key as MessageKey;
        // An unknown key is found when the template is read, not when a reader asks for the page.
        wording.raw(this.key);
        this.values = new Hash(values.join(" "));
      }

      *render(context: Context, emitter: Emitter): Generator<unknown, void, MessageValues> {
        const given = yield this.values.render(context);
        const shown = Object.entries(given).map(([name, value]) => [
          name,
          typeof value === "number" ? value : escapeHtml(value ?? ""),
        ]);
        emitter.write(wording.say(this.key, Object.fromEntries(shown) as MessageValues));
      }
    },
  );
}

const call = /\bt\("([\w.]+)"\)/g;

/** A script with its texts, `t("script.many")`, as literals of ASCII. */
export function fillScript(source: string, wording: Wording): string {
  return source.replace(call, (_whole, key: string) => asciiJson(wording.raw(key as MessageKey)));
}

/** JSON that reads the same whatever charset the page is in. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A tag with its box; see `Offer`. */
interface Box {
  name: string;
  count: number;
  chosen: boolean;
}

/**
 * The boxes of a form's tags as HTML, for the filter `boxes`. They are most of what a page with a form holds, and
 * not worth the template engine's time.
 */
function tagBoxes(boxes: readonly Box[]): string {
  return boxes.map(box).join("\n");
}

function box({ name, count, chosen }: Box): string {
  const shown = escapeHtml(name);
  return (
    `<label class="choice"><input type="checkbox" name="tags" value="${shown}"${chosen ? " checked" : ""}> ` +
    `<span>${shown}</span>${count > 0 ? ` <span class="count">${count}</span>` : ""}</label>`
  );
}
