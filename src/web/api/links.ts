import { z } from "zod";
import type { App } from "../../app.ts";
import { checkLinksNow, type LinkReport } from "../../editions/links-now.ts";
import { getEdition } from "../../editions/store.ts";
import { parseEditionName } from "../../base/edition-name.ts";
import { editionParams } from "./editions.ts";
import { problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const reportSchema = z
  .object({
    links: z.array(
      z.object({
        id: z.int().describe("ID of the article"),
        title: z.string(),
        url: z.string(),
        verdict: z.enum(["fine", "broken", "unsure"]),
        said: z.string().nullable().describe("For example `answers 404`; null if the page exists"),
        checkedAt: z.date(),
      }),
    ),
    unasked: z.int().describe("Articles whose links were not checked, or not in time"),
  })
  .meta({ id: "LinkReport" });

/** Checks the links of an edition's articles. */
export function addLinkRoutes(server: ApiServer, app: App): void {
  const tags = ["editions"];
  const response = { 200: reportSchema, ...problems };
  const description = "Requests the pages of the first 40 articles. Takes up to ten seconds.";

  server.post(
    "/editions/next/check-links",
    {
      config: { role: "editor" },
      schema: { summary: "Check the links of the next edition", description, tags, response },
    },
    async ({ actor }): Promise<LinkReport> => checkLinksNow(app, { edition: null, actor }),
  );

  server.post(
    "/editions/:date/check-links",
    {
      config: { role: "editor" },
      schema: { summary: "Check the links of a frozen edition", description, tags, params: editionParams, response },
    },
    async ({ params, actor }): Promise<LinkReport> => {
      const { date, number } = parseEditionName(params.date);
      return checkLinksNow(app, { edition: await getEdition(app.db, date, number), actor });
    },
  );
}
