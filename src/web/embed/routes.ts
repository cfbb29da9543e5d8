import type { FastifyInstance } from "fastify";
import { fillMs } from "../../abuse/limits.ts";
import type { App } from "../../app.ts";
import { readableOn } from "../../render/colour.ts";
import { formFields } from "../abuse/guard.ts";
import type { Catalogue } from "../catalogue.ts";
import type { Wording } from "../../wording/catalogue.ts";
import { makeEmbedScript, type EmbedScript } from "./script.ts";

const hourInSeconds = 3_600;
/** Of the box, as client.js paints it. */
const paper = { light: "#fffdf8", dark: "#191713" };

/**
 * `/embed.js`, the sign-up box for article pages of other origins, and what it asks for once somebody turns to it: how a
 * sign-up proves that it was not posted blindly. docs/embed.md is its handbook.
 */
export function addEmbed(
  web: FastifyInstance,
  app: App,
  { catalogue, words }: { catalogue: () => Promise<Catalogue>; words: Wording },
): void {
  const { config } = app;
  const settings = {
    name: config.publicationName,
    wording: words.say("consent.wording", { publication: config.publicationName }),
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
