import { Resolver } from "node:dns/promises";
import { domainOf } from "../../base/mail-domain.ts";
import { isLoopback } from "../../config/readers.ts";
import { fail, ok, warn, type Check } from "./check.ts";

/** Email-related DNS records of a domain; null for those that no resolver answered. */
export interface MailRecords {
  spf: string[] | null;
  /** Of the domain, or of the nearest parent domain that has one. */
  dmarc: string[] | null;
  mx: string[] | null;
}

/** DNS queries that reject like Node's resolver. */
export interface Lookup {
  txt(name: string): Promise<string[]>;
  mx(name: string): Promise<string[]>;
}

const name = "DNS";
/** Reserved domains (RFC 2606, RFC 6761), which have no DNS records. */
const reserved = /(^|\.)(example|test|invalid|localhost|local|internal|example\.(com|net|org))$/;

/** Checks SPF, DMARC and MX of the sender's domain. Gmail, Yahoo and Outlook require SPF and DMARC from bulk senders. */
export async function checkDns(address: string, lookup: Lookup = systemLookup()): Promise<Check[]> {
  const domain = domainOf(address).toLowerCase();
  if (reserved.test(domain) || isLoopback(domain) || !domain.includes(".")) {
    return [
      ok(name, `${domain} is not a public domain, so its DNS was not checked. Set MAIL_FROM before you email readers.`),
    ];
  }
  if (await isUnknown(() => lookup.mx(domain))) {
    const what = `The domain ${domain} does not exist, so its emails cannot be verified or answered`;
    return [warn(name, `${what}. Check MAIL_FROM, or run \`dig TXT ${domain}\` on a machine with internet access.`)];
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
    const what = `No name server answers, so SPF, DMARC and MX of ${domain} were not checked`;
    return [warn(name, `${what}. Run \`dig TXT ${domain}\` on a machine with a name server.`)];
  }
  return [...judgeSpf(domain, spf), ...judgeDmarc(domain, dmarc), ...judgeMx(domain, mx)];
}

function judgeSpf(domain: string, spf: string[] | null): Check[] {
  if (spf === null) return [];
  const [record] = spf;
  if (record === undefined) {
    return [
      warn("SPF", `${domain} has no SPF record. Add a TXT record such as "v=spf1 include:your-relay.example -all".`),
    ];
  }
  // RFC 7208 §4.5: more than one is a permanent error, as if the check failed.
  if (spf.length > 1)
    return [fail("SPF", `${domain} has ${spf.length} SPF records, which counts as none. Merge them into one.`)];
  if (record.split(/\s+/).some((term) => /^\+?all$/i.test(term))) {
    return [warn("SPF", `The SPF record of ${domain} allows everyone to send (${record}). End it with -all or ~all.`)];
  }
  return [ok("SPF", record)];
}

function judgeDmarc(domain: string, dmarc: string[] | null): Check[] {
  if (dmarc === null) return [];
  const [record] = dmarc;
  if (record === undefined) {
    return [warn("DMARC", `${domain} has no DMARC record. Add a TXT record "v=DMARC1; p=none" at _dmarc.${domain}.`)];
  }
  if (dmarc.length > 1)
    return [fail("DMARC", `${domain} has ${dmarc.length} DMARC records, which counts as none. Keep only one.`)];
  return [ok("DMARC", record)];
}

function judgeMx(domain: string, mx: string[] | null): Check[] {
  if (mx === null) return [];
  if (mx.length === 0)
    return [warn("MX", `${domain} does not accept emails, so replies and bounces are lost. Add an MX record.`)];
  return [ok("MX", mx.join(", "))];
}

/** RFC 9989 §4.10: a domain without a record uses that of its nearest parent domain. */
async function dmarcOf(domain: string, lookup: Lookup): Promise<string[] | null> {
  const labels = domain.split(".");
  for (let from = 0; labels.length - from >= 2; from += 1) {
    const at = `_dmarc.${labels.slice(from).join(".")}`;
    const records = await asked(async () => (await lookup.txt(at)).filter((record) => /^v=DMARC1\b/i.test(record)));
    if (records === null || records.length > 0) return records;
  }
  return [];
}

/** An empty list if there are no records, or null if the name server did not answer. */
async function asked(question: () => Promise<string[]>): Promise<string[] | null> {
  try {
    return await question();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOTFOUND" || code === "ENODATA" ? [] : null;
  }
}

/** Whether the name does not exist at all, which differs from having no record of this type. */
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
