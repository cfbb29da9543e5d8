import { z } from "zod";
import type { App } from "../../app.ts";
import { listAllTags } from "../../articles/tag-list.ts";
import { problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";
import { addTagActs } from "./tag-acts.ts";

const countedDays = 90;

const tagSchema = z
  .object({
    name: z.string(),
    aliases: z.array(z.string()).describe("Its other spellings"),
    articles: z.int().describe("Articles with this tag in the last 90 days"),
    readers: z.int().describe("Active readers who follow it"),
    hiddenAt: z.date().nullable().describe("null if the tag is not hidden"),
    revision: z.int().describe("Changes each time the tag changes"),
  })
  .meta({ id: "Tag" });

export function addTagRoutes(server: ApiServer, app: App): void {
  server.get(
    "/tags",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List all tags, with their readers and their articles of the last 90 days",
        tags: ["tags"],
        response: { 200: z.object({ tags: z.array(tagSchema) }), ...problems },
      },
    },
    async () => {
      const since = new Date(app.clock.now().getTime() - countedDays * 24 * 3_600_000);
      return { tags: await listAllTags(app.db, since) };
    },
  );

  addTagActs(server, app);
}
