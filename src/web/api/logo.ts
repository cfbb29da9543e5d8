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
    url: z.string().describe("URL of the logo in pages and emails"),
    inMails: z.boolean().describe("true for PNG and JPEG, the only formats that emails show"),
  })
  .nullable()
  .meta({ id: "Logo" });
const changedSchema = z.object({
  changed: z.boolean().describe("false if nothing had to be changed"),
  logo: logoSchema,
  restarting: z.boolean().describe("true if the server restarts now, which takes a few seconds"),
  sentence: z.string().describe("What was done, and when it takes effect"),
});

/** The publication's logo. Owners can also set it at `/operator/setup`. */
export function addLogoRoutes(server: ApiServer, app: App): void {
  const tags = ["settings"];
  const config = { role: "owner" } as const;

  server.get(
    "/logo",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Get the publication's logo, or null if there is none",
        tags,
        response: {
          200: z.object({
            logo: logoSchema,
            fixed: z
              .boolean()
              .describe(
                "true if PUBLICATION_LOGO in the environment sets the logo, so that it can only be changed there",
              ),
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
          summary: `Set the logo to an SVG, PNG, JPEG or WebP image of up to ${largestLogo / 1000} kB`,
          description: "The server restarts within seconds to apply the change.",
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
    { config, schema: { summary: "Remove the logo", tags, response: { 200: changedSchema, ...problems } } },
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
  if (!changed) return logo === null ? "No change. There is no logo." : "No change. This is already the logo.";
  const done = logo === null ? "The logo was removed." : "The logo was set.";
  return `${done} ${restarting ? "The server is restarting." : "Restart the server to apply the change."}`;
}
