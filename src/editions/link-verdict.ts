import type { LinkAnswer } from "../sources/ask-links.ts";

export interface LinkVerdict {
  /** `broken` is certain. `unsure` is shown to people and holds nothing. */
  verdict: "fine" | "broken" | "unsure";
  /** Behind the article's headline, such as `answers 404`; null for a page that is there. */
  said: string | null;
}

/** Names that lead nowhere by agreement (RFC 2606, RFC 6761 §6), for examples and tests. */
const reserved = /(^|\.)(example|test|invalid|example\.(com|net|org))\.?$/;
/** A site's own, or that of one of its languages. */
const frontPage = /^\/(?:[a-z]{2}(?:[-_][a-z]{2})?\/?)?(?:index\.\w{2,5})?$/i;
const literal = /^\[|^[\d.]+$/;

/** Whether anything is to be learnt by asking for the page. */
export function isAskable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return /^https?:$/.test(protocol) && !reserved.test(hostname);
}

/**
 * What the answers of one look mean for readers. A page is broken when its server says that there is none (RFC 9110
 * §15.5.5, §15.5.11), or its host has no address although names of others are found: when all names fail, it is our
 * name server. A slow, guarded or failing server may serve a reader well a minute later.
 * @param answers by URL
 */
export function judgeLinks(answers: ReadonlyMap<string, LinkAnswer>): Map<string, LinkVerdict> {
  const namesWork = [...answers].some(([url, answer]) => foundName(url, answer));
  return new Map([...answers].map(([url, answer]) => [url, judge(url, answer, namesWork)]));
}

function foundName(url: string, answer: LinkAnswer): boolean {
  if (literal.test(new URL(url).hostname)) return false;
  return answer.kind === "status" || (answer.kind === "no-name" && answer.hops > 0);
}

function judge(url: string, answer: LinkAnswer, namesWork: boolean): LinkVerdict {
  switch (answer.kind) {
    case "status":
      return atFrontPage(url, answer) ?? ofStatus(answer.status);
    case "no-name":
      return { verdict: namesWork ? "broken" : "unsure", said: `leads to ${answer.host}, which does not exist` };
    case "late":
      return { verdict: "unsure", said: "does not answer in time" };
    case "private-address":
      return { verdict: "unsure", said: "leads to a private address" };
    case "bad-redirect":
      return { verdict: "unsure", said: "redirects without end, or to no web page" };
    case "failed":
      return {
        verdict: "unsure",
        said: answer.error === "" ? "cannot be read" : `cannot be reached (${answer.error})`,
      };
  }
}

/**
 * A page that is gone may say 200 and show the front page instead. Whether it is gone nobody can tell from outside, so a
 * person is to look.
 */
function atFrontPage(url: string, { status, movedTo }: { status: number; movedTo?: string }): LinkVerdict | null {
  if (movedTo === undefined || status >= 400 || isFrontPage(url) || !isFrontPage(movedTo)) return null;
  // An article may have no path of its own but a number, and then it leads to itself.
  if (new URL(movedTo).search !== "") return null;
  return { verdict: "unsure", said: "leads to the front page" };
}

function isFrontPage(url: string): boolean {
  return frontPage.test(new URL(url).pathname);
}

function ofStatus(status: number): LinkVerdict {
  // 416: an empty page has not even the first byte that was asked for (RFC 9110 §15.5.17).
  if (status < 400 || status === 416) return { verdict: "fine", said: null };
  return { verdict: status === 404 || status === 410 ? "broken" : "unsure", said: `answers ${status}` };
}
