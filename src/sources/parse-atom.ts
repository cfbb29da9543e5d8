import { parseAtomFeed } from "feedsmith";
import { absoluteUrl } from "./address.ts";
import type { RawFeed } from "./parse-item.ts";

type Feed = ReturnType<typeof parseAtomFeed<string>>;
type Entry = NonNullable<Feed["entries"]>[number];
type Link = NonNullable<Entry["links"]>[number];

/** Atom 1.0 and 0.3. Links are relative to xml:base (RFC 4287 §2), which may itself be relative. */
export function readAtom(xml: string, feedUrl: string, maxItems: number): RawFeed {
  const feed = parseAtomFeed(xml, { maxItems });
  const base = absoluteUrl(feed.xml?.base, feedUrl) ?? feedUrl;
  const items = (feed.entries ?? []).map((entry) => ({
    guid: entry.id,
    links: [pageOf(entry.links)],
    base: absoluteUrl(entry.xml?.base, base) ?? base,
    title: entry.title?.value,
    texts: [entry.summary?.value, contentOf(entry)],
    tags: (entry.categories ?? []).flatMap(tagOf),
    dates: [entry.published, entry.updated, entry.dc?.dates?.[0]],
    origin: originOf(entry),
  }));
  return { title: feed.title?.value, siteUrl: absoluteUrl(pageOf(feed.links), base), base, items };
}

/** RFC 4287 §4.2.7.2: a link without `rel` is an alternate. Of several, the HTML one is for readers. */
function pageOf(links: readonly Link[] | undefined): string | undefined {
  const alternates = (links ?? []).filter(({ rel }) => rel === undefined || rel === "alternate");
  const page = alternates.find(({ type }) => type === undefined || /html/i.test(type));
  return (page ?? alternates[0])?.href;
}

/** Content can be a base64 image or other XML (RFC 4287 §4.1.3), which is not text. */
function contentOf({ content }: Entry): string | undefined {
  return /^(?:text|html|xhtml|text\/.*|application\/xhtml\+xml)?$/i.test(content?.type ?? "")
    ? content?.value
    : undefined;
}

/** The label is for people, the term for programs. Some systems use a URL for the type of item, which is not a tag. */
function tagOf({ label, term }: { label?: string; term?: string }): string[] {
  const name = label ?? term;
  return name === undefined || /^https?:\/\//i.test(name) ? [] : [name];
}

function originOf(entry: Entry): { name: string | undefined; url: string | undefined } | undefined {
  if (entry.source) return { name: entry.source.title?.value, url: pageOf(entry.source.links) };
  const name = entry.dc?.sources?.[0];
  return name === undefined ? undefined : { name, url: undefined };
}
