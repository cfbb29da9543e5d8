import { DomUtils, parseDocument } from "htmlparser2";
import { plainText, textLines } from "../articles/text.ts";
import { oneLine } from "../render/plain.ts";
import { absoluteUrl } from "./address.ts";

/** The original publisher of an article. */
export interface Origin {
  name: string;
  url: string | null;
}

const longestName = 120;
/** The source line is at the end of the description. Only this many characters are searched. */
const tail = 2000;
/** For text without consecutive white space, which keeps matching linear. */
const sourceLine = /(?:^|\n|[.!?…"”’)\]][ \n])((?:On the web|Source)[ \n]?[:\uff1a][ \n]?([^\n]{1,120}))$/i;

/**
 * The source line at the end of a description in HTML or text: `On the web: Korea JoongAng Daily`, `Source: Reuters`, on
 * its own line or after a full stop. `line` is to be removed from the summary.
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

/** An origin by its name, or by a URL in place of the name. null if the name is empty or too long. */
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
