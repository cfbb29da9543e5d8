import { sentence, type Sentence } from "../../base/sentence.ts";
import { escapeHtml } from "../../render/plain.ts";
import { subscribePath } from "../tag-query.ts";

/** What a site pastes into its pages, for one publication and the tags of one article. */
export interface Snippets {
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
 * @param tell what readers of the publication read
 */
export function makeSnippets(publicUrl: string, tags: readonly string[], tell: (said: Sentence) => string): Snippets {
  const invitation = tell(sentence("Sign up for our free daily email news alerts"));
  const boxes = tags.map((tag) => {
    const name = escapeHtml(tag);
    return `  <label><input type="checkbox" name="tags" value="${name}" checked> ${name}</label>`;
  });
  const form = [
    `<form method="post" action="${publicUrl}/subscribe">`,
    `  <p>${invitation}</p>`,
    ...boxes,
    `  <label>${tell(sentence("E-mail address"))} <input type="email" name="address" autocomplete="email" required></label>`,
    `  <button>${tell(sentence("Sign up"))}</button>`,
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
