import type { FastifyInstance } from "fastify";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fillMs } from "../../abuse/limits.ts";
import type { App } from "../../app.ts";
import { readableOn } from "../../render/colour.ts";
import { formFields } from "../abuse/guard.ts";
import type { Catalogue } from "../tag-cache.ts";
import type { Wording } from "../../texts/catalogue.ts";
import type { PublicationLink } from "../../render/types.ts";
import { packageRoot } from "../../package-root.ts";
import { asciiJson, fillScript } from "../views.ts";

type AppDeps = Pick<App, "config" | "options" | "clock" | "log" | "caps">;

const hourInSeconds = 3_600;
/** Of the box, as client.js paints it. */
const paper = { light: "#fffdf8", dark: "#191713" };

/**
 * `/embed.js`, the sign-up box for article pages of other origins, and `/embed/form`, which the box requests when a reader starts
 * to use it. The answer has what a sign-up must send back, so that a sign-up cannot be posted blindly. See docs/embed.md.
 */
export function addEmbed(
  web: FastifyInstance,
  app: AppDeps,
  {
    catalogue,
    words,
    policies,
  }: { catalogue: () => Promise<Catalogue>; words: Wording; policies: readonly PublicationLink[] },
): void {
  const { config } = app;
  const settings = {
    name: config.publicationName,
    wording: words.say("consent.wording", { publication: config.publicationName }),
    policies,
    accent: {
      light: readableOn(config.accentColour, paper.light),
      dark: readableOn(config.accentColour, paper.dark),
    },
  };
  let made: { hidden: ReadonlySet<string>; script: EmbedScript } | null = null;
  const current = async (): Promise<EmbedScript> => {
    const { hidden } = await catalogue();
    if (made?.hidden !== hidden)
      made = { hidden, script: makeEmbedScript({ ...settings, hidden: [...hidden] }, words) };
    return made.script;
  };
  web.get("/embed.js", async (request, reply) => {
    const script = await current();
    reply
      .header("cache-control", `public, max-age=${hourInSeconds}`)
      .header("etag", script.etag)
      .header("vary", "accept-encoding")
      // Any site may load it, also one that takes only what was meant for it (Cross-Origin-Embedder-Policy).
      .header("cross-origin-resource-policy", "cross-origin")
      .header("access-control-allow-origin", "*");
    if (isFresh(request.headers["if-none-match"], script.etag)) return reply.code(304).send();
    reply.type("text/javascript; charset=utf-8");
    if (!/\bgzip\b(?!\s*;\s*q=0(?![.\d]))/.test(request.headers["accept-encoding"] ?? ""))
      return reply.send(script.plain);
    return reply.header("content-encoding", "gzip").send(script.gzipped);
  });

  web.get("/embed/form", async (request, reply) =>
    reply.header("cache-control", "no-store").send({ ...(await formFields(app, request)), waitMs: fillMs }),
  );
}

/** RFC 9110 §13.1.2, with weak comparison. */
function isFresh(given: string | undefined, etag: string): boolean {
  return (
    given !== undefined && given.split(",").some((one) => one.trim() === "*" || one.trim().endsWith(etag.slice(2)))
  );
}

/** What the box knows without asking. */
interface BoxSettings {
  /** The publication's. */
  name: string;
  /** What a reader agrees to by signing up. */
  wording: string;
  /** Linked beside it. */
  policies: readonly PublicationLink[];
  /** `#rrggbb`, readable on the paper of each scheme. */
  accent: { light: string; dark: string };
  /** Keys of tags that are not offered, whatever the page names. */
  hidden: readonly string[];
}

/** `/embed.js`, ready to be sent. */
interface EmbedScript {
  plain: string;
  gzipped: Buffer;
  etag: string;
}

/** client.js with the settings in it. It stays ASCII, so that it reads the same whatever charset the page is in. */
export function makeEmbedScript(box: BoxSettings, wording: Wording): EmbedScript {
  const source = readFileSync(join(packageRoot, "src/web/embed/client.js"), "utf8");
  const settings = { ...box, language: wording.language };
  const plain = fillScript(source, wording).replace(/\bSETTINGS(?=\);\s*$)/, () => asciiJson(settings));
  const hash = createHash("sha256").update(plain).digest("base64url").slice(0, 16);
  return { plain, gzipped: gzipSync(plain, { level: 9 }), etag: `W/"${hash}"` };
}

/** The routes that the box speaks to, from pages of any origin. */
const open: Record<string, "GET" | "POST"> = {
  "/embed/form": "GET",
  "/challenge": "GET",
  "/subscribe": "POST",
};
const dayInSeconds = 86_400;

/**
 * Lets scripts of any origin use these routes, and read what they answer, failures too. Never with credentials: nothing
 * there depends on who the browser is, so an origin gets no more than it could ask for from a server of its own.
 */
export function openToSites(web: FastifyInstance): void {
  web.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.url !== undefined && Object.hasOwn(open, request.routeOptions.url)) {
      reply.header("access-control-allow-origin", "*");
    }
  });
  for (const [path, method] of Object.entries(open)) {
    web.options(path, async (_request, reply) =>
      reply
        .code(204)
        .header("access-control-allow-methods", method)
        .header("access-control-allow-headers", "content-type")
        .header("access-control-max-age", dayInSeconds)
        .send(),
    );
  }
}
