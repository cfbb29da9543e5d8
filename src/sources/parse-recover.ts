import { DomUtils, parseDocument } from "htmlparser2";
import type { FeedDocument } from "./parse-document.ts";
import type { ItemFault, RawFeed, RawItem } from "./parse-item.ts";

type XmlDocument = Exclude<FeedDocument, { format: "json" }>;
type Node = ReturnType<typeof parseDocument>["children"][number];
type Reader = (xml: string, feedUrl: string, maxItems: number) => RawFeed;

/** An item's text in the document. */
interface Slice {
  xml: string;
  /** Whether the document ends within the item, so that its last element may be incomplete. */
  cut: boolean;
}

/**
 * Reads each item of a broken document alone, so that a broken item does not affect others. Items that do not parse are
 * parsed again with repaired markup.
 */
export function recoverFeed(document: XmlDocument, read: Reader, feedUrl: string, maxItems: number): RawFeed {
  const { frame, slices } = split(document);
  const feed = attempt(() => read(frame, feedUrl, 0)) ?? attempt(() => read(repair(frame), feedUrl, 0));
  const base = feed?.base ?? feedUrl;
  const [start, end] = shellOf(document);
  const itemIn = (xml: string): RawItem | null => {
    const item = read(start + xml + end, base, 1).items[0];
    return item === undefined || typeof item === "string" ? null : item;
  };
  const items = slices.slice(0, maxItems).map(({ xml, cut }): RawItem | ItemFault => {
    if (cut) return "feed_item_cut_off";
    const item = attempt(() => itemIn(xml));
    if (item && isWhole(item)) return item;
    const repaired = attempt(() => itemIn(repair(xml)));
    if (repaired && isWhole(repaired)) return repaired;
    return item && !item.links.some(hasMarkup) ? item : "feed_item_broken";
  });
  return { title: feed?.title, siteUrl: feed?.siteUrl ?? null, base, items };
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

/** How many items an XML document begins. */
export function countItems(document: XmlDocument): number {
  return split(document).slices.length;
}

function isWhole({ title, links }: RawItem): boolean {
  const [link] = links.filter((candidate) => candidate !== undefined);
  return title !== undefined && link !== undefined && !hasMarkup(link);
}

/** A link with markup means that its end tag is missing. */
function hasMarkup(link: string | undefined): boolean {
  return link?.includes("<") ?? false;
}

/**
 * Cuts the items out of a document. A missing start or end tag of an item, an unclosed comment or an unclosed CDATA
 * section does not affect its neighbours.
 */
function split({ format, xml, qname, cut }: XmlDocument): { frame: string; slices: Slice[] } {
  // In RDF the root element has a different namespace.
  const prefix = format === "rdf" ? "" : qname.slice(0, qname.lastIndexOf(":") + 1);
  const name = prefix + (format === "atom" ? "entry" : "item");
  const marks = /<!\[CDATA\[|<!--|<\/?((?:[\w.-]+:)?(?:item|entry))(?=[\s/>])/gi;
  const sectionEnd = sectionEnds(xml, `<${name}`);
  const nextTagEnd = seeker(xml, ">");
  const slices: Slice[] = [];
  const frame: string[] = [];
  let frameFrom = 0;
  let itemFrom: number | null = null;
  for (let mark = marks.exec(xml); mark !== null; mark = marks.exec(xml)) {
    const at = mark.index;
    if (mark[0].startsWith("<!")) {
      marks.lastIndex = sectionEnd(at) ?? marks.lastIndex;
      continue;
    }
    if (mark[1]?.toLowerCase() !== name.toLowerCase()) continue;
    const tagEnd = nextTagEnd(at);
    const after = tagEnd === -1 ? xml.length : tagEnd + 1;
    if (mark[0].startsWith("</")) {
      if (itemFrom !== null) slices.push({ xml: xml.slice(itemFrom, after), cut: false });
      // Before the first item, its elements cannot be distinguished from the feed's elements.
      else if (slices.length === 0) slices.push({ xml: "", cut: false });
      else if (xml.slice(frameFrom, at).trim() !== "") {
        slices.push({ xml: `<${name}>${xml.slice(frameFrom, after)}`, cut: false });
      }
      if (itemFrom !== null || slices.length > 1) frameFrom = after;
      itemFrom = null;
    } else if (xml[after - 2] !== "/") {
      if (itemFrom === null) frame.push(xml.slice(frameFrom, at));
      else slices.push({ xml: xml.slice(itemFrom, at), cut: false });
      itemFrom = at;
    }
  }
  if (itemFrom === null) frame.push(xml.slice(frameFrom));
  else slices.push({ xml: xml.slice(itemFrom), cut });
  return { frame: frame.join(""), slices };
}

/** The start and end that make a document of one item, with the namespaces of the original. */
function shellOf({ format, xml, qname }: XmlDocument): [start: string, end: string] {
  const [root = ""] = /^<[^<>]*>/.exec(xml.slice(0, 20_000)) ?? [];
  const namespaces = root.match(/\sxmlns(?::[\w.-]+)?=(?:"[^"]{0,500}"|'[^']{0,500}')/g)?.join("") ?? "";
  const version = format === "rss" ? ' version="2.0"' : "";
  const [start, end] = format === "rss" ? ["<channel>", "</channel>"] : ["", ""];
  return [`<${qname}${version}${namespaces}>${start}`, `${end}</${qname}>`];
}

/** Makes XML well-formed: closes elements and turns stray markup into text. */
function repair(xml: string): string {
  const { children } = parseDocument(escapeStray(xml), { xmlMode: true, decodeEntities: false });
  for (const element of DomUtils.getElementsByTagName("*", children)) {
    for (const name of Object.keys(element.attribs)) if (!/^[a-z_][\w:.-]*$/i.test(name)) delete element.attribs[name];
  }
  for (const child of children.flatMap((element) => DomUtils.getChildren(element))) closeBefore(child);
  return DomUtils.getOuterHTML(children, { xmlMode: true, encodeEntities: false });
}

const textElement = /^(?:title|link|guid|id|description|summary|category|comments|pubdate|published|updated|dc:\w+)$/i;

/** A feed element inside a text-only element means that the outer one is not closed, so it moves after it. */
function closeBefore(element: Node): void {
  if (!DomUtils.isTag(element) || !textElement.test(element.name)) return;
  const at = element.children.findIndex((child) => DomUtils.isTag(child) && textElement.test(child.name));
  let last: Node = element;
  for (const moved of at === -1 ? [] : element.children.slice(at)) {
    DomUtils.append(last, moved);
    last = moved;
    closeBefore(moved);
  }
}

/** Real markup in an item is not nested deeper. Parsing takes quadratic time in the depth. */
const deepest = 100;

/** Escapes each "<" that does not begin a comment, a CDATA section or a tag, or begins a tag that is nested too deeply. */
function escapeStray(xml: string): string {
  const tag = /<(\/?)([a-z_][\w:.-]*)(?:\s[^<>]*|\/)?>/iy;
  const sectionEnd = sectionEnds(xml, null);
  const open: string[] = [];
  const parts: string[] = [];
  let from = 0;
  for (let at = xml.indexOf("<"); at !== -1; at = xml.indexOf("<", from)) {
    parts.push(xml.slice(from, at));
    const end = sectionEnd(at) ?? tagEnd(at);
    parts.push(end === null ? "&lt;" : xml.slice(at, end));
    from = end ?? at + 1;
  }
  return parts.join("") + xml.slice(from);

  function tagEnd(at: number): number | null {
    tag.lastIndex = at;
    const [whole = "", closing, name = ""] = tag.exec(xml) ?? [];
    if (whole === "") return null;
    if (closing === "/") open.length = open.includes(name) ? open.lastIndexOf(name) : open.length;
    else if (!whole.endsWith("/>")) {
      if (open.length === deepest) return null;
      open.push(name);
    }
    return at + whole.length;
  }
}

/**
 * Returns a function from a position to the end of the comment or CDATA section there, for ascending positions. null
 * where there is none, or where it is not closed. If another section starts before the end that was found, and `between`
 * (if given) stands before that end too, the end belongs to the other section.
 */
function sectionEnds(xml: string, between: string | null): (at: number) => number | null {
  const kinds = [
    ["<![CDATA[", "]]>"],
    ["<!--", "-->"],
  ].map(([open = "", close = ""]) => ({ open, close, nextOpen: seeker(xml, open), nextClose: seeker(xml, close) }));
  const nextBetween = between === null ? null : seeker(xml, between);
  return (at) => {
    const kind = kinds.find(({ open }) => xml.startsWith(open, at));
    if (!kind) return null;
    const end = kind.nextClose(at + kind.open.length);
    if (end === -1) return null;
    const inside = (position: number): boolean => position !== -1 && position < end;
    const another = inside(kind.nextOpen(at + 1));
    if (another && (nextBetween === null || inside(nextBetween(at)))) return null;
    return end + kind.close.length;
  };
}

/** `indexOf` for ascending positions, in linear time for all of them together. */
function seeker(text: string, part: string): (from: number) => number {
  let found = text.indexOf(part);
  return (from) => {
    if (found !== -1 && found < from) found = text.indexOf(part, from);
    return found;
  };
}
