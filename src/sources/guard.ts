import { lookup as systemLookup } from "node:dns/promises";
import type { LookupAddress } from "node:dns";
import { BlockList, isIP, isIPv4, type LookupFunction } from "node:net";
import { callbackify } from "node:util";
import { buildConnector } from "undici";

/** All addresses of a name; throws with a `code` such as ENOTFOUND. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;

/** The host of a URL, a name or an IP address, is not on the public Internet. */
export class PrivateAddress extends Error {
  override readonly name = "PrivateAddress";
  readonly host: string;
  readonly address: string;

  constructor(host: string, address: string) {
    super(`private address ${address}`);
    this.host = host;
    this.address = address;
  }
}

/** IANA's special-purpose IPv4 registry (RFC 6890) and multicast; the last is Azure's metadata service. */
const special4 = blockList("ipv4", [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "168.63.129.16/32",
]);
/** Only 2000::/3 is public (RFC 4291 §2.4), except Teredo and similar, documentation and 6to4. */
const public6 = blockList("ipv6", ["2000::/3"]);
const special6 = blockList("ipv6", ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);
/** Prefixes that carry an IPv4 address in their last 32 bits: mapped (RFC 4291 §2.5.5.2) and NAT64 (RFC 6052 §2.1). */
const carriers = blockList("ipv6", ["::ffff:0:0/96", "64:ff9b::/96"]);

function blockList(family: "ipv4" | "ipv6", subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = "", prefix] = subnet.split("/");
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** Whether an IP address is on the public Internet. false if `ip` is not an IP address. */
export function isPublicAddress(ip: string): boolean {
  if (isIPv4(ip)) return !special4.check(ip, "ipv4");
  // An address with a zone (fe80::1%eth0) is link-local.
  if (isIP(ip) !== 6 || ip.includes("%")) return false;
  if (carriers.check(ip, "ipv6")) return isPublicAddress(last32Bits(ip));
  return public6.check(ip, "ipv6") && !special6.check(ip, "ipv6");
}

/** "::ffff:7f00:1" and "::ffff:127.0.0.1" both give "127.0.0.1"; the URL parser writes the first. */
function last32Bits(ip: string): string {
  const groups = new URL(`http://[${ip}]`).hostname.slice(1, -1).split(":").slice(-2);
  const [high = 0, low = 0] = groups.map((group) => Number.parseInt(group || "0", 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/**
 * Opens connections for undici, only to public addresses unless `allowPrivate`. IP addresses are checked here, because
 * they need no lookup. Names are checked by the same lookup that is used to connect, so that DNS rebinding has no effect.
 * @param options.timeoutMs for one connection
 */
export function guardedConnector(options: {
  allowPrivate: boolean;
  lookup?: Lookup | undefined;
  timeoutMs: number;
}): buildConnector.connector {
  const resolve = options.lookup ?? ((hostname) => systemLookup(hostname, { all: true }));
  const find = callbackify((hostname: string) => checked(hostname, resolve, options.allowPrivate));
  const lookup: LookupFunction = (hostname, { all }, callback) => {
    find(hostname, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) callback(error, []);
      else if (all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ timeout: options.timeoutMs, lookup });
  return (target, callback) => {
    const host = target.hostname.replace(/^\[|\]$/g, "");
    if (!options.allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) {
      callback(new PrivateAddress(host, host), null);
    } else connect(target, callback);
  };
}

async function checked(hostname: string, resolve: Lookup, allowPrivate: boolean): Promise<LookupAddress[]> {
  const addresses = await resolve(hostname);
  if (addresses.length === 0) throw Object.assign(new Error(`${hostname} has no address`), { code: "ENOTFOUND" });
  const wrong = allowPrivate ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
  if (wrong) throw new PrivateAddress(hostname, wrong.address);
  return addresses;
}
