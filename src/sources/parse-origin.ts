import { DomUtils, parseDocument } from "htmlparser2";
import { plainText, textLines } from "../articles/text.ts";
import { oneLine } from "../render/plain.ts";
import { absoluteUrl } from "./address.ts";

/** Where an article first appeared, as its source line says. */
export interface Origin {
  name: string;
  url: string | null;
}

const longestName = 120;
/** The source line ends the description; no more of it than this is looked at. */
const tail = 2000;
/** For a text without two white spaces in a row, so that no run of them is gone through twice. */
const sourceLine = /(?:^|\n|[.!?…"”’)\]][ \n])((?:On the web|Source)[ \n]?[:\uff1a][ \n]?([^\n]{1,120}))$/i;

/**
 * The source line at the end of a description, in HTML or not: `On the web: Korea JoongAng Daily`, `Source: Reuters`, on
 * a line of its own or behind a full stop. `line` is what has to leave the summary.
 */
export function findSourceLine(raw: string, base: string): { origin: Origin; line: string } | null {
  const end = raw.slice(-tail);
  const text = textLines(end).replace(/\s+/g, (space) => (space.includes("\n") ? "\n" : " "));
  const [, found, foundName = ""] = sourceLine.exec(text.trim()) ?? [];
  if (found === undefined) return null;
  const line = oneLine(found);
  const name = oneLine(foundName);
  const origin = namedOrigin(name, linkOf(end, name, base));
  return origin && { origin, line };
}

/** An origin by its name, or by an address in the name's place. null for an empty or endless name. */
export function namedOrigin(rawName: string | undefined, rawUrl: string | null): Origin | null {
  const name = plainText(rawName ?? "");
  const own = /^https?:\/\/\S+$/i.test(name) ? absoluteUrl(name, name) : null;
  if (own) return { name: new URL(own).hostname.replace(/^www\./, ""), url: rawUrl ?? own };
  return name === "" || name.length > longestName ? null : { name, url: rawUrl };
}

/** The last link with that text. */
function linkOf(html: string, name: string, base: string): string | null {
  const links = DomUtils.getElementsByTagName("a", parseDocument(html));
  return absoluteUrl(links.findLast((link) => oneLine(DomUtils.textContent(link)) === name)?.attribs.href, base);
}
