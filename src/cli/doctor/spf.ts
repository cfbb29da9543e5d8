import { BlockList, isIP } from "node:net";
import { recordsOf, type Lookup } from "./dns.ts";

/** Why receivers treat a record as if there were none (RFC 7208 §4.6, §4.6.4, §5.2). */
export type SpfFault =
  | { code: "lookups" | "empty_lookups" | "mx_names" }
  | { code: "term" | "include_missing" | "include_several"; term: string };

export interface SpfReading {
  fault: SpfFault | null;
  /** DNS lookups of a sender that nothing matches, the most that a receiver makes. */
  lookups: number;
  /** Whether the record permits the address; null if that can't be told, or without an address. */
  permits: boolean | null;
  /** Whether the record names all senders itself, so that no other domain can add any. */
  selfContained: boolean;
}

type Result = "pass" | "no" | "unknown";

const mostLookups = 10;
const mostEmpty = 2;
const mostMxNames = 10;

class Fault extends Error {
  override readonly name = "Fault";
  readonly fault: SpfFault;

  constructor(fault: SpfFault) {
    super(fault.code);
    this.fault = fault;
  }
}

/** The SPF records of a domain; null if no name server answered. */
export function spfRecords(domain: string, lookup: Lookup): Promise<string[] | null> {
  return recordsOf(async () => (await lookup.txt(domain)).filter((record) => /^v=spf1(?: |$)/i.test(record)));
}

/**
 * Reads an SPF record as a receiver does (RFC 7208 §4 to §6), and every record that it refers to. Macros and `ptr` are not followed.
 * @param ip the sender's address; null to look only for faults
 */
export async function readSpf(domain: string, record: string, ip: string | null, lookup: Lookup): Promise<SpfReading> {
  const counts = { lookups: 0, empty: 0 };
  let selfContained = true;

  function count(): void {
    if ((counts.lookups += 1) > mostLookups) throw new Fault({ code: "lookups" });
  }

  function found<T>(answer: T[] | null): T[] | null {
    if (answer?.length === 0 && (counts.empty += 1) > mostEmpty) throw new Fault({ code: "empty_lookups" });
    return answer;
  }

  const addressesOf = (name: string): Promise<string[] | null> => recordsOf(() => lookup.addresses(name));

  async function other(term: string, name: string): Promise<Result> {
    count();
    selfContained = false;
    if (name.includes("%")) return "unknown";
    const records = found(await spfRecords(name, lookup));
    if (records === null) return "unknown";
    if (records.length !== 1)
      throw new Fault({ code: records.length === 0 ? "include_missing" : "include_several", term });
    return read(name, records[0]!);
  }

  async function matches(term: string, at: string): Promise<Result> {
    const [name] = /^[a-z0-9]*/i.exec(term)!;
    const rest = term.slice(name.length);
    switch (name.toLowerCase()) {
      case "all":
        if (rest === "") return "pass";
        break;
      case "ip4":
      case "ip6": {
        const [, address = "", prefix] = /^:([\da-f.:]+?)(?:\/(\d{1,3}))?$/i.exec(rest) ?? [];
        if (isIP(address) !== Number(name.at(-1))) break;
        return isWithin(ip, [address], prefix) ? "pass" : "no";
      }
      case "a":
      case "mx": {
        const [whole, of, prefix4, prefix6] = /^(?::([^/]+))?(?:\/(\d{1,2}))?(?:\/\/(\d{1,3}))?$/.exec(rest) ?? [];
        if (whole === undefined) break;
        return host(name.toLowerCase() === "mx", of ?? at, [prefix4, prefix6]);
      }
      case "include":
        if (/^:[^/]+$/.test(rest)) return other(term, rest.slice(1));
        break;
      case "exists":
      case "ptr":
        count();
        selfContained = false;
        return "unknown";
    }
    throw new Fault({ code: "term", term });
  }

  async function host(isMx: boolean, of: string, prefixes: [string | undefined, string | undefined]): Promise<Result> {
    count();
    if (of.includes("%")) return "unknown";
    const names = isMx ? found(await recordsOf(() => lookup.mx(of))) : [of];
    if (names === null) return "unknown";
    if (names.length > mostMxNames) throw new Fault({ code: "mx_names" });
    const answers = await Promise.all(names.map(addressesOf));
    if (!isMx) found(answers[0]!);
    const known = answers.flatMap((one) => one ?? []);
    const four = isWithin(
      ip,
      known.filter((one) => isIP(one) === 4),
      prefixes[0],
    );
    if (
      four ||
      isWithin(
        ip,
        known.filter((one) => isIP(one) === 6),
        prefixes[1],
      )
    )
      return "pass";
    return answers.includes(null) ? "unknown" : "no";
  }

  /** Reads on after a match, because the lookups of other senders count too. */
  async function read(at: string, text: string): Promise<Result> {
    let result: Result = "no";
    let matched = false;
    let redirect: string | null = null;
    for (const term of text.split(/ +/).slice(1).filter(Boolean)) {
      const [, modifier, value = ""] = /^([a-z][\w.-]*)=(.*)$/i.exec(term) ?? [];
      if (modifier !== undefined) {
        if (modifier.toLowerCase() === "redirect") redirect = value;
        continue;
      }
      const [, sign = "", mechanism = ""] = /^([+?~-]?)(.*)$/.exec(term)!;
      const one = await matches(mechanism, at);
      if (!matched && one === "unknown") result = "unknown";
      if (!matched && one === "pass") {
        matched = true;
        if (sign === "" || sign === "+") result = "pass";
      }
      if (/^all$/i.test(mechanism)) return result;
    }
    if (redirect === null) return result;
    const last = await other(`redirect=${redirect}`, redirect);
    return matched || last === "no" ? result : last;
  }

  try {
    const result = await read(domain, record);
    const permits = ip === null || result === "unknown" ? null : result === "pass";
    return { fault: null, lookups: counts.lookups, permits, selfContained };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { fault: error.fault, lookups: counts.lookups, permits: null, selfContained };
  }
}

function isWithin(ip: string | null, addresses: readonly string[], prefix: string | undefined): boolean {
  if (ip === null) return false;
  const list = new BlockList();
  for (const address of addresses) {
    const [family, longest] = isIP(address) === 4 ? (["ipv4", 32] as const) : (["ipv6", 128] as const);
    list.addSubnet(address, Math.min(Number(prefix ?? longest), longest), family);
  }
  return list.check(ip, isIP(ip) === 4 ? "ipv4" : "ipv6");
}
