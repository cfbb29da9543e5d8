import { recordsOf, type Lookup } from "./dns.ts";

/** A DMARC record, and the name that it is published for. */
interface Found {
  domain: string;
  tags: Map<string, string>;
}

/** RFC 9989 §4.10: from a longer name, the walk goes on with as many labels. */
const mostLabels = 7;

/**
 * Whether SPF of one domain counts for DMARC of another (RFC 9989 §4.4.2): in relaxed mode, they need the same organisational domain.
 * Without any DMARC record, one must be below the other.
 * @param returnPath the domain that SPF is checked for @param from the domain of the From field
 * @returns null if no name server answered
 */
export async function isAligned(returnPath: string, from: string, lookup: Lookup): Promise<boolean | null> {
  if (returnPath === from) return true;
  const [ours, theirs] = await Promise.all([walk(returnPath, lookup), walk(from, lookup)]);
  if (ours === null || theirs === null) return null;
  if (ours.length === 0 && theirs.length === 0) return isBelow(returnPath, from) || isBelow(from, returnPath);
  const organisation = organisationOf(from, theirs);
  const policy = theirs.find(({ domain }) => domain === from) ?? theirs.find(({ domain }) => domain === organisation);
  if (policy?.tags.get("aspf") === "s") return false;
  return organisationOf(returnPath, ours) === organisation;
}

/** RFC 9989 §4.10: the records of a domain and of those above it, the longest name first. */
async function walk(start: string, lookup: Lookup): Promise<Found[] | null> {
  const found: Found[] = [];
  const labels = start.split(".");
  const names = [start, ...labels.slice(1).map((_, i) => labels.slice(i + 1).join("."))];
  for (const domain of names.filter((name, i) => i === 0 || name.split(".").length <= mostLabels)) {
    const answer = await recordsOf(async () =>
      (await lookup.txt(`_dmarc.${domain}`)).filter((record) => /^v=DMARC1\s*(?:;|$)/.test(record)),
    );
    if (answer === null) return null;
    if (answer.length !== 1) continue;
    const tags = tagsOf(answer[0]!);
    found.push({ domain, tags });
    if (/^[yn]$/.test(tags.get("psd") ?? "")) break;
  }
  return found;
}

/** RFC 9989 §4.10.2. */
function organisationOf(start: string, found: readonly Found[]): string {
  for (const { domain, tags } of found) {
    if (tags.get("psd") === "n") return domain;
    if (tags.get("psd") === "y" && domain !== start)
      return start
        .split(".")
        .slice(-domain.split(".").length - 1)
        .join(".");
  }
  return found.at(-1)?.domain ?? start;
}

function tagsOf(record: string): Map<string, string> {
  const pairs = record.split(";").map((part) => part.split("=").map((side) => side.trim().toLowerCase()));
  return new Map(pairs.map(([name = "", value = ""]) => [name, value]));
}

function isBelow(one: string, other: string): boolean {
  return one.endsWith(`.${other}`);
}
