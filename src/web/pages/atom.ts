import { escapeHtml } from "../../render/plain.ts";

export interface AtomFeed {
  /** Absolute addresses; `id` never changes. */
  id: string;
  self: string;
  home: string;
  title: string;
  author: string;
  language: string;
  updated: Date;
  entries: AtomEntry[];
}

export interface AtomEntry {
  id: string;
  link: string;
  title: string;
  updated: Date;
  /** HTML whose texts are escaped already. */
  html: string;
}

/** An Atom feed (RFC 4287): every id an IRI, one author for all, content as escaped HTML. */
export function atomDocument(feed: AtomFeed): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="${text(feed.language)}">
<id>${text(feed.id)}</id>
<title>${text(feed.title)}</title>
<updated>${feed.updated.toISOString()}</updated>
<author><name>${text(feed.author)}</name></author>
<link rel="self" type="application/atom+xml" href="${text(feed.self)}"/>
<link rel="alternate" type="text/html" href="${text(feed.home)}"/>
${feed.entries.map(entryElement).join("")}</feed>
`;
}

function entryElement({ id, link, title, updated, html }: AtomEntry): string {
  return `<entry>
<id>${text(id)}</id>
<title>${text(title)}</title>
<updated>${updated.toISOString()}</updated>
<link rel="alternate" type="text/html" href="${text(link)}"/>
<content type="html">${text(html)}</content>
</entry>
`;
}

/** What XML 1.0 has no way to write, escaped or not (2.2, Char), and what would be markup. */
function text(raw: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what must go
  return escapeHtml(raw.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, ""));
}
