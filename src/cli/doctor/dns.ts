import { type DkimRecordFault, checkDkimRecord, dkimRecord, type DkimKey } from "../../mail/dkim.ts";
import { Resolver } from "node:dns/promises";
import { domainOf } from "../../base/address.ts";
import { isLoopback } from "../../config/parse-values.ts";
import { fail, ok, warn, type Check } from "./check.ts";

/** Email-related DNS records of a domain; null for those that no resolver answered. */
export interface MailRecords {
  /** Of the domain, or of the nearest parent domain that has one. */
  dmarc: string[] | null;
  mx: string[] | null;
}

/** DNS queries that reject like Node's resolver. */
export interface Lookup {
  txt(name: string): Promise<string[]>;
  mx(name: string): Promise<string[]>;
  /** IPv4 and IPv6. */
  addresses(name: string): Promise<string[]>;
}

const name = "DNS";
/** Reserved domains (RFC 2606, RFC 6761), which have no DNS records. */
const reserved = /(^|\.)(example|test|invalid|localhost|local|internal|example\.(com|net|org))$/;

/** Compares the published records of the DKIM keys with the keys. */
export async function checkDkim(keys: readonly DkimKey[], lookup: Lookup = systemLookup()): Promise<Check[]> {
  return Promise.all(
    keys.map(async (key) => {
      const at = dkimRecord(key).name;
      const records = await recordsOf(() => lookup.txt(at));
      if (records === null) return warn("DKIM", `No name server answers, so the record at ${at} was not checked.`);
      const fault = checkDkimRecord(key, records);
      return fault === null ? ok("DKIM", `The record at ${at} matches the key.`) : fail("DKIM", dkimFaults[fault](at));
    }),
  );
}

const again = "Publish the record that `dayletter dkim show` prints.";
const dkimFaults: Readonly<Record<DkimRecordFault, (at: string) => string>> = {
  missing: (at) => `There is no DKIM record at ${at}, so receivers ignore the signature. ${again}`,
  several: (at) => `${at} has several DKIM records, and receivers may use any of them. Keep only one.`,
  malformed: (at) => `The DKIM record at ${at} is malformed. ${again}`,
  revoked: (at) => `The DKIM record at ${at} has an empty key, which revokes it. ${again}`,
  other_type: (at) => `The DKIM record at ${at} is for another type of key. ${again}`,
  other_key: (at) => `The DKIM record at ${at} has a different key, so the signatures are invalid. ${again}`,
};

/** Whether the domain can have DNS records that everybody sees. */
export function isPublicDomain(domain: string): boolean {
  return !reserved.test(domain) && !isLoopback(domain) && domain.includes(".");
}

/** Checks DMARC and MX of the sender's domain. Gmail, Yahoo and Outlook require DMARC from bulk senders. */
export async function checkDns(address: string, lookup: Lookup = systemLookup()): Promise<Check[]> {
  const domain = domainOf(address).toLowerCase();
  if (!isPublicDomain(domain)) {
    return [
      ok(name, `${domain} is not a public domain, so its DNS was not checked. Set MAIL_FROM before you email readers.`),
    ];
  }
  if (await isUnknown(() => lookup.mx(domain))) {
    const what = `The domain ${domain} does not exist, so its emails cannot be verified or answered`;
    return [warn(name, `${what}. Check MAIL_FROM, or run \`dig TXT ${domain}\` on a machine with internet access.`)];
  }
  const [dmarc, mx] = await Promise.all([dmarcOf(domain, lookup), recordsOf(() => lookup.mx(domain))]);
  return judgeDns(domain, { dmarc, mx });
}

export function judgeDns(domain: string, { dmarc, mx }: MailRecords): Check[] {
  if (dmarc === null && mx === null) {
    const what = `No name server answers, so SPF, DMARC and MX of ${domain} were not checked`;
    return [warn(name, `${what}. Run \`dig TXT ${domain}\` on a machine with a name server.`)];
  }
  return [...judgeDmarc(domain, dmarc), ...judgeMx(domain, mx)];
}

function judgeDmarc(domain: string, dmarc: string[] | null): Check[] {
  if (dmarc === null) return [];
  const [record] = dmarc;
  if (record === undefined) {
    return [warn("DMARC", `${domain} has no DMARC record. Add a TXT record "v=DMARC1; p=none" at _dmarc.${domain}.`)];
  }
  if (dmarc.length > 1)
    return [fail("DMARC", `${domain} has ${dmarc.length} DMARC records, so none of them is valid. Keep only one.`)];
  return [ok("DMARC", record)];
}

function judgeMx(domain: string, mx: string[] | null): Check[] {
  if (mx === null) return [];
  if (mx.length === 0)
    return [warn("MX", `${domain} does not accept emails, so replies to it are lost. Add an MX record.`)];
  return [ok("MX", mx.join(", "))];
}

/** RFC 9989 §4.10: a domain without a record uses that of its nearest parent domain. */
async function dmarcOf(domain: string, lookup: Lookup): Promise<string[] | null> {
  const labels = domain.split(".");
  for (let from = 0; labels.length - from >= 2; from += 1) {
    const at = `_dmarc.${labels.slice(from).join(".")}`;
    const records = await recordsOf(async () => (await lookup.txt(at)).filter((record) => /^v=DMARC1\b/i.test(record)));
    if (records === null || records.length > 0) return records;
  }
  return [];
}

/** An empty list if there are no records, or null if the name server did not answer. */
export async function recordsOf(question: () => Promise<string[]>): Promise<string[] | null> {
  try {
    return await question();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOTFOUND" || code === "ENODATA" ? [] : null;
  }
}

/** Whether the name does not exist at all, which differs from having no record of this type. */
export async function isUnknown(question: () => Promise<string[]>): Promise<boolean> {
  try {
    await question();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOTFOUND";
  }
}

export function systemLookup(): Lookup {
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  return {
    txt: async (host) => (await resolver.resolveTxt(host)).map((parts) => parts.join("")),
    mx: async (host) =>
      (await resolver.resolveMx(host)).filter((one) => one.exchange !== "").map((one) => one.exchange),
    async addresses(host) {
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const found = answers.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
      const failures = answers.flatMap((one) =>
        one.status === "rejected" ? [one.reason as NodeJS.ErrnoException] : [],
      );
      // That a type has no records says nothing about the one whose answer is missing.
      const failed = failures.find(({ code }) => code !== "ENODATA") ?? failures[0];
      if (found.length === 0 && failed) throw failed;
      return found;
    },
  };
}
