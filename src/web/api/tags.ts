import { z } from "zod";
import type { App } from "../../app.ts";
import { addAlias, listTags, mergeTags } from "../../articles/tag-store.ts";
import { writeAudit } from "../../ops/audit.ts";
import { problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const countedDays = 90;
const merge = z.strictObject({ from: z.string().max(500), into: z.string().max(500) });
const alias = z.strictObject({ alias: z.string().max(500), tag: z.string().max(500) });

export function addTagRoutes(server: ApiServer, app: App): void {
  const { db, clock } = app;
  const tags = ["tags"];

  server.get(
    "/tags",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List the tags, with how many articles had each in the last 90 days",
        tags,
        response: { 200: z.object({ tags: z.array(z.object({ name: z.string(), articles: z.int() })) }), ...problems },
      },
    },
    async () => ({ tags: await listTags(db, new Date(clock.now().getTime() - countedDays * 24 * 3_600_000)) }),
  );

  server.post(
    "/tags/merge",
    {
      config: { role: "editor" },
      schema: { summary: "Make one tag of two", tags, body: merge, response: { 200: merge, ...problems } },
    },
    async ({ body, actor }) => {
      await mergeTags(db, body.from, body.into);
      await writeAudit(db, { at: clock.now(), actor, action: "tag merge", subject: body.from, detail: body });
      return body;
    },
  );

  server.post(
    "/tags/alias",
    {
      config: { role: "editor" },
      schema: { summary: "Add another spelling of a tag", tags, body: alias, response: { 200: alias, ...problems } },
    },
    async ({ body, actor }) => {
      await addAlias(db, body.alias, body.tag);
      await writeAudit(db, { at: clock.now(), actor, action: "tag alias", subject: body.tag, detail: body });
      return body;
    },
  );
}
