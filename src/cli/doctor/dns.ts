import { Resolver } from "node:dns/promises";
import { domainOf } from "../../base/mail-domain.ts";
import { isLoopback } from "../../config/readers.ts";
import { fail, ok, warn, type Check } from "./check.ts";

/** What a domain publishes about its mail: records of each kind, or null where no resolver answered. */
export interface MailRecords {
  spf: string[] | null;
  /** Of the domain or of the nearest domain above that has one. */
  dmarc: string[] | null;
  mx: string[] | null;
}

/** The two questions that are asked; each rejects as Node's resolver does. */
export interface Lookup {
  txt(name: string): Promise<string[]>;
  mx(name: string): Promise<string[]>;
}

const name = "DNS";
/** RFC 2606 and RFC 6761: no such domain can be looked up. */
const reserved = /(^|\.)(example|test|invalid|localhost|local|internal|example\.(com|net|org))$/;

/** SPF, DMARC and MX of the sender's domain, which Gmail, Yahoo and Outlook ask of everybody who sends to many. */
export async function checkDns(address: string, lookup: Lookup = systemLookup()): Promise<Check[]> {
  const domain = domainOf(address).toLowerCase();
  if (reserved.test(domain) || isLoopback(domain) || !domain.includes(".")) {
    return [
      ok(name, `${domain} is no public domain, so there is nothing to look up; set MAIL_FROM before mailing readers.`),
    ];
  }
  if (await isUnknown(() => lookup.mx(domain))) {
    const what = `no name server knows ${domain}, so nobody can check or answer its mail`;
    return [warn(name, `${what}: check MAIL_FROM, or ask from a machine on the Internet with \`dig TXT ${domain}\`.`)];
  }
  const [spf, dmarc, mx] = await Promise.all([
    asked(async () => (await lookup.txt(domain)).filter((record) => /^v=spf1( |$)/i.test(record))),
    dmarcOf(domain, lookup),
    asked(() => lookup.mx(domain)),
  ]);
  return judgeDns(domain, { spf, dmarc, mx });
}

export function judgeDns(domain: string, { spf, dmarc, mx }: MailRecords): Check[] {
  if (spf === null && dmarc === null && mx === null) {
    const what = `No name server answers, so SPF, DMARC and MX of ${domain} were not looked at`;
    return [warn(name, `${what}: look at them from a machine with one, such as with \`dig TXT ${domain}\`.`)];
  }
  return [...judgeSpf(domain, spf), ...judgeDmarc(domain, dmarc), ...judgeMx(domain, mx)];
}

function judgeSpf(domain: string, spf: string[] | null): Check[] {
  if (spf === null) return [];
  const [record] = spf;
  if (record === undefined) {
    return [
      warn("SPF", `${domain} has no SPF record: add a TXT record such as "v=spf1 include:your-relay.example -all".`),
    ];
  }
  // RFC 7208 §4.5: more than one is a permanent error, as if the check failed.
  if (spf.length > 1)
    return [fail("SPF", `${domain} has ${spf.length} SPF records, which counts as none: make them one.`)];
  if (record.split(/\s+/).some((term) => /^\+?all$/i.test(term))) {
    return [warn("SPF", `${domain} lets everybody send (${record}): end it with -all or ~all.`)];
  }
  return [ok("SPF", record)];
}

function judgeDmarc(domain: string, dmarc: string[] | null): Check[] {
  if (dmarc === null) return [];
  const [record] = dmarc;
  if (record === undefined) {
    return [warn("DMARC", `${domain} has no DMARC record: add a TXT record "v=DMARC1; p=none" at _dmarc.${domain}.`)];
  }
  if (dmarc.length > 1)
    return [fail("DMARC", `${domain} has ${dmarc.length} DMARC records, which counts as none: keep one.`)];
  return [ok("DMARC", record)];
}

function judgeMx(domain: string, mx: string[] | null): Check[] {
  if (mx === null) return [];
  if (mx.length === 0)
    return [warn("MX", `${domain} takes no mail, so replies and bounces are lost: add an MX record.`)];
  return [ok("MX", mx.join(", "))];
}

/** RFC 9989 §4.10: without a record of its own, the next domain above that has one speaks for it. */
async function dmarcOf(domain: string, lookup: Lookup): Promise<string[] | null> {
  const labels = domain.split(".");
  for (let from = 0; labels.length - from >= 2; from += 1) {
    const at = `_dmarc.${labels.slice(from).join(".")}`;
    const records = await asked(async () => (await lookup.txt(at)).filter((record) => /^v=DMARC1\b/i.test(record)));
    if (records === null || records.length > 0) return records;
  }
  return [];
}

/** An empty list when the name server says that there is none, null when it says nothing. */
async function asked(question: () => Promise<string[]>): Promise<string[] | null> {
  try {
    return await question();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOTFOUND" || code === "ENODATA" ? [] : null;
  }
}

/** The name itself does not exist, rather than having no record of the kind that was asked for. */
async function isUnknown(question: () => Promise<string[]>): Promise<boolean> {
  try {
    await question();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOTFOUND";
  }
}

function systemLookup(): Lookup {
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  return {
    txt: async (host) => (await resolver.resolveTxt(host)).map((parts) => parts.join("")),
    mx: async (host) =>
      (await resolver.resolveMx(host)).filter((one) => one.exchange !== "").map((one) => one.exchange),
  };
}
