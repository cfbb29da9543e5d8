import { z } from "zod";
import type { App } from "../../app.ts";
import { chooseTags, type TagChoice } from "../../articles/tag-choice.ts";
import { noSuchTag } from "../../articles/tag-store.ts";
import { Refusal } from "../../base/errors.ts";
import { comingSample } from "../../editions/coming.ts";
import { newestSample, printSample, type SampleCopy } from "../../editions/sample.ts";
import { sampleOfEdition, type SampleOf } from "../../editions/sample-stencils.ts";
import { getEdition } from "../../editions/store.ts";
import { editionName, parseEditionName } from "../../base/edition-name.ts";
import { confineMail } from "../security.ts";
import { editionParams } from "./editions.ts";
import { problems, several } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const forms: Record<"html" | "text" | "eml", { type: string; print(copy: SampleCopy): string | Buffer }> = {
  html: { type: "text/html; charset=utf-8", print: (copy) => copy.html() },
  text: { type: "text/plain; charset=utf-8", print: (copy) => copy.text() },
  eml: { type: "message/rfc822", print: (copy) => copy.message() },
};

const querystring = z.strictObject({
  tags: several.describe("Tag to include; can be repeated. If omitted, all news."),
  as: z.enum(["html", "text", "eml"]).default("html"),
});
const response = {
  200: {
    description: "A sample copy",
    content: Object.fromEntries(Object.values(forms).map(({ type }) => [type.split(";")[0]!, { schema: z.string() }])),
  },
  ...problems,
};

/** Sample copies, built like real emails but not stored. */
export function addPreviewRoutes(server: ApiServer, app: App): void {
  const tags = ["editions"];
  const routes: { path: string; summary: string; of(choice: TagChoice): Promise<SampleOf> }[] = [
    { path: "next", summary: "Preview the next edition as it would be now", of: () => comingSample(app) },
    {
      path: "newest",
      summary: "Get the sample copy that readers see: the newest edition with any of the tags, or the newest articles",
      of: async (choice) => (await newestSample(app, choice)).of,
    },
  ];

  for (const { path, summary, of } of routes) {
    server.get(
      `/editions/${path}/preview`,
      { config: { role: "viewer" }, schema: { summary, tags, querystring, response } },
      async ({ query }, reply) => answer(reply, query, of),
    );
  }

  server.get(
    "/editions/:date/preview",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Preview an edition as a reader of these tags gets it",
        tags,
        params: editionParams,
        querystring,
        response,
      },
    },
    async ({ params, query }, reply) => {
      const { date, number } = parseEditionName(params.date);
      return answer(reply, query, async () => sampleOfEdition(app.db, await getEdition(app.db, date, number)));
    },
  );

  async function answer(
    reply: Parameters<typeof confineMail>[0],
    query: z.output<typeof querystring>,
    find: (choice: TagChoice) => Promise<SampleOf>,
  ) {
    const choice = await chooseTags(app.db, query.tags);
    refuseUnknown(choice);
    const of = await find(choice);
    const copy = await printSample(app, of, choice);
    if (!copy) throw nothing(of, choice);
    const { type, print } = forms[query.as];
    return confineMail(reply).type(type).send(print(copy)) as never;
  }
}

function refuseUnknown({ unknown, hidden }: TagChoice): void {
  if (unknown.length === 0) return;
  if (hidden.length > 0) {
    const names = hidden.map((name) => JSON.stringify(name)).join(", ");
    throw new Refusal(422, `The tag ${names} is hidden and brings nobody an article: leave it out.`, { hidden });
  }
  throw noSuchTag(unknown);
}

function nothing({ edition }: SampleOf, { known }: TagChoice): Refusal {
  const which = known.length === 0 ? "yet" : "with these tags";
  return new Refusal(404, `Edition ${editionName(edition)} has no article ${which}: there is nothing to show.`);
}
