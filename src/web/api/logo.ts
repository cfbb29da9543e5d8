import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { App } from "../../app.ts";
import { largestLogo, type Logo } from "../../config/logo.ts";
import { changeLogo, isLogoFixed, largestUpload } from "../../operations/change-logo.ts";
import { isForMails } from "../../config/picture.ts";
import { problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const types = ["image/svg+xml", "image/png", "image/jpeg", "image/webp", "application/octet-stream"];

const logoSchema = z
  .object({
    name: z.string(),
    type: z.string(),
    width: z.int().describe("Pixels"),
    height: z.int(),
    bytes: z.int(),
    url: z.string().describe("Where readers' pages and mails find it"),
    inMails: z.boolean().describe("Mails show a PNG or JPEG"),
  })
  .nullable()
  .meta({ id: "Logo" });
const changedSchema = z.object({
  changed: z.boolean().describe("False when it was so already"),
  logo: logoSchema,
  restarting: z.boolean().describe("Whether the server restarts now, which takes a few seconds"),
  sentence: z.string().describe("What was done, and when it is in force"),
});

/** The publication's logo, as an owner sets it at `/operator/setup`. */
export function addLogoRoutes(server: ApiServer, app: App): void {
  const tags = ["settings"];
  const config = { role: "owner" } as const;

  server.get(
    "/logo",
    {
      config: { role: "viewer" },
      schema: {
        summary: "The publication's logo; null without one",
        tags,
        response: {
          200: z.object({
            logo: logoSchema,
            fixed: z
              .boolean()
              .describe("Whether the environment sets it (PUBLICATION_LOGO), so that it is changed there"),
          }),
          ...problems,
        },
      },
    },
    async () => ({ logo: told(app.config.logo), fixed: isLogoFixed(app.settings) }),
  );

  server.register(async (scope) => {
    scope.addContentTypeParser(types, { parseAs: "buffer", bodyLimit: largestUpload }, (_request, content, done) =>
      done(null, content),
    );
    (scope as ApiServer).put(
      "/logo",
      {
        config,
        schema: {
          summary: `Set the logo: the content of an SVG, PNG, JPEG or WebP of up to ${largestLogo / 1000} kB`,
          description: "It is in force once the server has opened anew, within seconds, by itself.",
          tags,
          consumes: types,
          body: z.custom<Buffer>((given) => Buffer.isBuffer(given), `the content of a picture as ${types.join(", ")}`),
          response: { 200: changedSchema, ...problems },
        },
      },
      async ({ body, actor }, reply) => change(reply, { content: body, actor }),
    );
  });

  server.delete(
    "/logo",
    { config, schema: { summary: "Take the logo away", tags, response: { 200: changedSchema, ...problems } } },
    async ({ actor }, reply) => change(reply, { content: null, actor }),
  );

  async function change(reply: FastifyReply, request: { content: Buffer | null; actor: string }) {
    const { logo, changed } = await changeLogo(app, request);
    const restarting = changed && app.reopen !== null;
    if (app.reopen && restarting) reply.header("connection", "close").raw.once("finish", app.reopen);
    return { changed, logo: told(logo), restarting, sentence: sentenceOf(logo, changed, restarting) };
  }

  function told(logo: Logo | null): z.infer<typeof logoSchema> {
    if (logo === null) return null;
    const { name, type, width, height, content } = logo;
    const url = `${app.config.publicUrl}/assets/${name}`;
    return { name, type, width, height, bytes: content.length, url, inMails: isForMails(logo) };
  }
}

function sentenceOf(logo: Logo | null, changed: boolean, restarting: boolean): string {
  if (!changed) return logo === null ? "There is no logo." : "This is the logo already.";
  const done = logo === null ? "The logo is taken away" : "The logo is set";
  const it = logo === null ? "without it" : "with it";
  return restarting ? `${done}: the server restarts ${it}.` : `${done}. Restart the server for it to take effect.`;
}
