import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { leadsToLoopback } from "../../config/parse-values.ts";
import type { Catalogue } from "../tag-cache.ts";
import { makeSnippets } from "../embed/snippets.ts";
import { needs, type Show } from "./dashboard.ts";
import { englishWording } from "../../texts/catalogue.ts";

const { say } = englishWording();

const exampleTags = 3;

/** Template code for an article's tags in common content management systems, from their documentation. */
const systems = [
  {
    name: "WordPress",
    tags: `data-tags="<?php echo esc_attr(implode(', ', wp_list_pluck(get_the_tags() ?: [], 'name'))); ?>"`,
  },
  { name: "Ghost", tags: `data-tags="{{tags autolink="false" separator=", "}}"` },
  {
    name: "Drupal",
    tags: `data-tags="{% for item in node.field_tags %}{{ item.entity.label }}{{ loop.last ? '' : ', ' }}{% endfor %}"`,
  },
  { name: "Hugo", tags: `data-tags="{{ delimit .Params.tags ", " }}"` },
  { name: "Jekyll, Eleventy", tags: `data-tags="{{ page.tags | join: ", " | escape }}"` },
];

/** `/operator/site`: code for the site's article pages, ready to copy, with a preview. */
export function addSitePage(
  web: FastifyInstance,
  { config, words }: Pick<App, "config" | "words">,
  show: Show,
  catalogue: () => Promise<Catalogue>,
): void {
  const { publicUrl } = config;
  web.get("/operator/site", needs.viewer, async (request, reply) => {
    const popular = (await catalogue()).popular(exampleTags).map(({ name }) => name);
    const tags = popular.length > 0 ? popular : [say("site.first_tag"), say("site.second_tag")];
    return show(
      request,
      reply,
      { name: "site", title: say("title.site"), place: "site" },
      {
        snippets: makeSnippets(publicUrl, tags, words),
        systems,
        publicUrl,
        local: leadsToLoopback(publicUrl),
        exampleTags: JSON.stringify(popular),
      },
    );
  });
}
