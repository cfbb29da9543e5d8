import { fitWithin, type Logo } from "../config/logo.ts";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";
import { Refusal } from "../base/errors.ts";
import { packageRoot } from "../package-root.ts";
import { readableOn } from "../render/colour.ts";
import type { Wording } from "../texts/catalogue.ts";
import { fillScript } from "./views.ts";

interface Asset {
  name: string;
  type: string;
  content: string;
}

/** What the pages load. A name holds a hash of the content, so that browsers may keep it for good. */
export interface Assets {
  links: Record<
    | "style"
    | "icon"
    | "proof"
    | "forms"
    | "htmx"
    | "dashboard"
    | "dashboardStyle"
    | "plots"
    | "reopening"
    | "copy"
    | "edition"
    | "edit",
    string
  >;
  files: Map<string, Asset>;
}

const paper = { light: "#fffdf8", dark: "#191713" };
const types = { css: "text/css; charset=utf-8", js: "text/javascript; charset=utf-8", svg: "image/svg+xml" };
const require = createRequire(import.meta.url);

/**
 * @param accent `#rrggbb`; it is moved only as far as it must be to read on the paper of each scheme
 */
export function makeAssets(accent: string, wording: Wording): Assets {
  const script = (name: string) => fillScript(ours(`src/web/assets/${name}.js`), wording);
  const onLight = readableOn(accent, paper.light);
  const style = ours("templates/web/style.css")
    .replaceAll("var(--accent-on-light)", onLight)
    .replaceAll("var(--accent-on-dark)", readableOn(accent, paper.dark));
  const drawing =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#fffdf8" d="M0 0h16v16H0z"/>' +
    `<path fill="${onLight}" d="M2 2h12v3H2zM2 7h12v1H2zM2 10h12v1H2zM2 13h8v1H2z"/></svg>`;
  const all: Record<keyof Assets["links"], Asset> = {
    style: asset("style", "css", style),
    icon: asset("icon", "svg", drawing),
    proof: asset("proof", "js", script("proof")),
    forms: asset("forms", "js", script("forms")),
    htmx: asset(
      "htmx",
      "js",
      read(require.resolve("htmx.org/dist/htmx.min.js")),
      read(require.resolve("htmx.org/dist/ext/hx-sse.min.js")),
    ),
    dashboard: asset("dashboard", "js", ours("src/web/assets/dashboard.js")),
    // What is ours comes last, and so prevails.
    dashboardStyle: asset(
      "dashboard",
      "css",
      read(require.resolve("uplot/dist/uPlot.min.css")),
      ours("templates/web/operator/style.css"),
    ),
    edition: asset("edition", "js", script("edition")),
    copy: asset("copy", "js", ours("src/web/assets/copy.js")),
    edit: asset("edit", "js", ours("src/web/assets/edit.js")),
    reopening: asset("reopening", "js", ours("src/web/assets/reopening.js")),
    plots: asset("plots", "js", read(require.resolve("uplot/dist/uPlot.iife.min.js")), ours("src/web/assets/plots.js")),
  };
  const links = Object.fromEntries(Object.entries(all).map(([key, { name }]) => [key, `/assets/${name}`]));
  return {
    links: links as Assets["links"],
    files: new Map(Object.values(all).map((one) => [one.name, one])),
  };
}

export function addAssetRoutes(web: FastifyInstance, assets: Assets, logo: Logo | null): void {
  web.get<{ Params: { file: string } }>("/assets/:file", async (request, reply) => {
    const { file } = request.params;
    if (logo !== null && file.startsWith("logo.")) return sendLogo(reply, logo, file);
    const found = assets.files.get(file);
    if (!found) throw new Refusal(404, "file_not_found");
    return reply.header("cache-control", "public, max-age=31536000, immutable").type(found.type).send(found.content);
  });
}

/** @param parts one after another; scripts and styles of several packages go as one file */
function asset(name: string, ending: keyof typeof types, ...parts: string[]): Asset {
  const content = parts.join("\n");
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return { name: `${name}.${hash}.${ending}`, type: types[ending], content };
}

function ours(path: string): string {
  return read(join(packageRoot, path));
}

function read(path: string): string {
  return readFileSync(path, "utf8");
}

/** At the head of a page, in pixels. */
const box = { width: 240, height: 40 };
/** From this width to height a logo is taken for the name, drawn; a squarer one stands beside the name. */
const wordmark = 2.5;

/** What a template shows; see templates/web/name.liquid. */
export interface ShownLogo {
  path: string;
  width: number;
  height: number;
  /** Whether it stands for the name, and not beside it. */
  instead: boolean;
}

export function showLogo(logo: Logo | null): ShownLogo | null {
  if (logo === null) return null;
  return { path: `/assets/${logo.name}`, ...fitWithin(logo, box), instead: logo.width / logo.height >= wordmark };
}

/**
 * Sends the logo. An SVG that is opened directly is a document, so it may not run anything. Emails show it from another site.
 * An email that was sent with an earlier logo gets the current one under the earlier name, cached for an hour.
 */
function sendLogo(reply: FastifyReply, logo: Logo, name: string): FastifyReply {
  const lasting = name === logo.name ? "public, max-age=31536000, immutable" : "public, max-age=3600";
  return reply
    .header("cache-control", lasting)
    .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
    .header("cross-origin-resource-policy", "cross-origin")
    .type(logo.type)
    .send(logo.content);
}
