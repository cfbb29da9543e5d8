import { escapeHtml } from "../../render/plain.ts";
import type { Wording } from "../../texts/catalogue.ts";
import { subscribePath } from "../tag-query.ts";

/** What a site pastes into its pages, for one publication and the tags of one article. */
interface Snippets {
  /** The sign-up box. */
  box: string;
  /** The form without JavaScript. */
  form: string;
  link: string;
  /** What the site's Content-Security-Policy needs for the box, and for the form. */
  boxPolicy: string;
  formPolicy: string;
}

/**
 * The snippets of docs/embed.md.
 * @param publicUrl without trailing slash
 */
export function makeSnippets(publicUrl: string, tags: readonly string[], { say }: Pick<Wording, "say">): Snippets {
  const invitation = say("embed.invitation");
  const boxes = tags.map((tag) => {
    const name = escapeHtml(tag);
    return `  <label><input type="checkbox" name="tags" value="${name}" checked> ${name}</label>`;
  });
  const form = [
    `<form method="post" action="${publicUrl}/subscribe">`,
    `  <p>${invitation}</p>`,
    ...boxes,
    `  <label>${say("embed.address")} <input type="email" name="address" autocomplete="email" required></label>`,
    `  <button>${say("embed.submit")}</button>`,
    "</form>",
  ].join("\n");
  const { origin } = new URL(publicUrl);
  return {
    box: `<script src="${publicUrl}/embed.js" data-tags=${tagsAttribute(tags)} async></script>`,
    form,
    link: `<a href="${publicUrl}${escapeHtml(subscribePath(tags))}">${invitation}</a>`,
    boxPolicy: `script-src 'self' ${origin}; connect-src 'self' ${origin}`,
    formPolicy: `form-action 'self' ${origin}`,
  };
}

/** Between commas, as anyone would write them; as JSON where a tag has a comma itself. */
function tagsAttribute(tags: readonly string[]): string {
  if (!tags.some((tag) => tag.includes(","))) return `"${escapeHtml(tags.join(", "))}"`;
  return `'${JSON.stringify(tags).replaceAll("&", "&amp;").replaceAll("'", "&#39;").replaceAll("<", "&lt;")}'`;
}
