import { isIP } from "node:net";
import { domainOf } from "../../base/address.ts";
import { isPublicAddress } from "../../sources/guard.ts";
import { isAligned } from "./alignment.ts";
import { fail, ok, warn, type Check } from "./check.ts";
import { isPublicDomain, isUnknown, recordsOf, systemLookup, type Lookup } from "./dns.ts";
import { readSpf, spfRecords, type SpfFault, type SpfReading } from "./spf.ts";

export interface ReturnPathSettings {
  /** null if bounces go to the sender. */
  bounceAddress: string | null;
  mailFrom: { address: string };
  smtp: { host: string } | null;
}

/**
 * Checks the domain that bounces come back to: SPF, which receivers check for it, and whether it receives emails and counts for DMARC
 * of the sender.
 */
export async function checkReturnPath(
  { bounceAddress, mailFrom, smtp }: ReturnPathSettings,
  lookup: Lookup = systemLookup(),
): Promise<Check[]> {
  const from = domainOf(mailFrom.address).toLowerCase();
  const domain = bounceAddress === null ? from : domainOf(bounceAddress).toLowerCase();
  if (!isPublicDomain(domain)) {
    if (bounceAddress === null) return []; // The check of the sender's domain has said so.
    return [ok("DNS", `${domain} is not a public domain, so the DNS of BOUNCE_ADDRESS was not checked.`)];
  }
  if (await isUnknown(() => lookup.mx(domain))) {
    if (bounceAddress === null) return [];
    return [fail("MX", `The domain ${domain} does not exist, so bounces are lost. Check BOUNCE_ADDRESS.`)];
  }
  const spf = await checkSpf(domain, smtp?.host ?? null, lookup);
  if (bounceAddress === null) return spf;
  return [...spf, ...(await checkMx(domain, lookup)), ...(await checkAlignment(domain, from, lookup))];
}

/** @param relay the relay's name or address; null if there is none */
async function checkSpf(domain: string, relay: string | null, lookup: Lookup): Promise<Check[]> {
  const records = await spfRecords(domain, lookup);
  if (records === null) return [];
  const [record] = records;
  if (record === undefined) {
    const how = 'Add a TXT record such as "v=spf1 include:your-relay.example -all"';
    return [warn("SPF", `${domain} has no SPF record. ${how}.`)];
  }
  // RFC 7208 §4.5: more than one is a permanent error, as if the check failed.
  if (records.length > 1) {
    return [fail("SPF", `${domain} has ${records.length} SPF records, so none of them is valid. Merge them into one.`)];
  }
  if (record.split(/\s+/).some((term) => /^\+?all$/i.test(term))) {
    return [warn("SPF", `The SPF record of ${domain} allows everyone to send (${record}). End it with -all or ~all.`)];
  }
  const addresses = relay === null ? [] : await publicAddresses(relay, lookup);
  const readings: SpfReading[] = [];
  for (const ip of addresses.length === 0 ? [null] : addresses)
    readings.push(await readSpf(domain, record, ip, lookup));
  return [judgeSpf(domain, record, readings, relay)];
}

/** @param readings one for each address of the relay */
export function judgeSpf(domain: string, record: string, readings: readonly SpfReading[], relay: string | null): Check {
  const [{ fault, lookups, selfContained }] = readings as [SpfReading];
  if (fault) return fail("SPF", `The SPF record of ${domain} is not valid: ${faults[fault.code](fault)} (${record})`);
  const used = `${record}, ${lookups} of 10 DNS lookups`;
  if (readings.every(({ permits }) => permits === true)) return ok("SPF", `${used}. It permits ${relay}.`);
  if (readings.some(({ permits }) => permits === null)) return ok("SPF", `${used}.`);
  if (selfContained) {
    const how = "Add the addresses that the relay sends from, such as `ip4:192.0.2.1`";
    return warn("SPF", `The SPF record of ${domain} does not permit ${relay} (${record}). ${how}.`);
  }
  const rest =
    "Many relays send from other addresses. Check that the record has what the relay's documentation asks for";
  return ok("SPF", `${used}. It does not name ${relay} itself. ${rest}.`);
}

const faults: Readonly<Record<SpfFault["code"], (fault: SpfFault) => string>> = {
  lookups: () => "it needs more than 10 DNS lookups. Remove the terms that this domain does not need.",
  empty_lookups: () => "more than 2 of its DNS lookups find nothing. Remove the names that do not exist.",
  mx_names: () => "one of its mx terms has more than 10 names. List the addresses instead.",
  term: (fault) => `"${termOf(fault)}" is not valid. Correct it.`,
  include_missing: (fault) => `"${termOf(fault)}" has no SPF record. Correct or remove it.`,
  include_several: (fault) => `"${termOf(fault)}" has several SPF records. Ask its owner to merge them.`,
};

function termOf(fault: SpfFault): string {
  return "term" in fault ? fault.term : "";
}

/** Of a relay on this machine or in a private network, nobody outside sees the address. */
async function publicAddresses(host: string, lookup: Lookup): Promise<string[]> {
  const all = isIP(host) ? [host] : ((await recordsOf(() => lookup.addresses(host))) ?? []);
  return all.filter(isPublicAddress);
}

async function checkMx(domain: string, lookup: Lookup): Promise<Check[]> {
  const names = await recordsOf(() => lookup.mx(domain));
  if (names === null) return [];
  if (names.length === 0) {
    return [
      fail("MX", `${domain} has no MX record, so bounces are lost. Add one that names the machine that receives them.`),
    ];
  }
  const found = await Promise.all(names.map((one) => recordsOf(() => lookup.addresses(one))));
  if (found.every((addresses) => addresses?.length === 0)) {
    const what = `The MX record of ${domain} names ${names.join(", ")}, which has no address, so bounces are lost`;
    return [fail("MX", `${what}. Add an A or AAAA record for it.`)];
  }
  return [ok("MX", `Bounces to ${domain} go to ${names.join(", ")}.`)];
}

async function checkAlignment(domain: string, from: string, lookup: Lookup): Promise<Check[]> {
  if (!isPublicDomain(from)) return [];
  const aligned = await isAligned(domain, from, lookup);
  if (aligned === null) return [];
  if (aligned) return [ok("alignment", `SPF of ${domain} counts for DMARC of ${from}.`)];
  const how = `Use ${from} or a subdomain of it for BOUNCE_ADDRESS, or make sure that DKIM signs with ${from}`;
  return [warn("alignment", `SPF of ${domain} does not count for DMARC of ${from}. ${how}.`)];
}
