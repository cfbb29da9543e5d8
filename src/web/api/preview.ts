import { z } from "zod";
import type { App } from "../../app.ts";
import { getEdition } from "../../editions/store.ts";
import { confineMail } from "../security.ts";
import { parseEditionName } from "../edition-name.ts";
import { editionParams } from "./editions.ts";
import { previewComing, previewEdition, printPreview, type Preview } from "./print-preview.ts";
import { problems, several } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const forms = { html: "text/html", text: "text/plain", eml: "message/rfc822" } as const;

const querystring = z.strictObject({
  tags: several.describe("One tag; may be given several times. Without it, all news."),
  as: z.enum(["html", "text", "eml"]).default("html"),
});
const response = {
  200: {
    description: "A sample copy",
    content: Object.fromEntries(Object.values(forms).map((type) => [type, { schema: z.string() }])),
  },
  ...problems,
};

/** Sample copies: made as the mails are, and written nowhere. */
export function addPreviewRoutes(server: ApiServer, app: App): void {
  const tags = ["editions"];

  server.get(
    "/editions/next/preview",
    { schema: { summary: "What the next edition would be if it went out now", tags, querystring, response } },
    async ({ query }, reply) => answer(reply, query.as, await previewComing(app), query.tags),
  );

  server.get(
    "/editions/:date/preview",
    {
      schema: {
        summary: "An edition as a reader of some tags would get it",
        tags,
        params: editionParams,
        querystring,
        response,
      },
    },
    async ({ params, query }, reply) => {
      const { date, number } = parseEditionName(params.date);
      return answer(reply, query.as, await previewEdition(app, await getEdition(app.db, date, number)), query.tags);
    },
  );

  async function answer(
    reply: Parameters<typeof confineMail>[0],
    form: keyof typeof forms,
    preview: Preview,
    names: string[],
  ) {
    const printed = await printPreview(app, preview, names, form);
    const type = form === "eml" ? forms.eml : `${forms[form]}; charset=utf-8`;
    return confineMail(reply).type(type).send(printed) as never;
  }
}
