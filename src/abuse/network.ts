import { isIP } from "node:net";

/**
 * The network that caps count for: the /24 of an IPv4 address and the /56 of an IPv6 address, which one household or server
 * usually gets (RFC 6177, 2). An IPv4 address mapped to IPv6 (RFC 4291, 2.5.5.2) counts as IPv4.
 * @returns such as `192.0.2.0/24` or `2001:db8:0:1200::/56`; `unknown` if it is not an address
 */
export function networkOf(address: string): string {
  const plain = address.split("%", 1)[0]!;
  const family = isIP(plain);
  if (family === 0) return "unknown";
  if (family === 4) return networkOfParts(plain.split(".").map(Number));
  const groups = groupsOf(plain);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return networkOfParts(groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]));
  const kept = [...groups.slice(0, 3), groups[3]! & 0xff00];
  return `${kept.map((group) => group.toString(16)).join(":")}::/56`;
}

/**
 * The wider network that one site gets: the /48 of an IPv6 address (RFC 6177, 2), which contains 256 of the networks above;
 * for IPv4 the same network.
 */
export function siteOf(address: string): string {
  const network = networkOf(address);
  return network.endsWith("::/56") ? `${network.split(":").slice(0, 3).join(":")}::/48` : network;
}

function networkOfParts(parts: readonly number[]): string {
  return `${parts.slice(0, 3).join(".")}.0/24`;
}

/** The eight 16-bit groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = "", tail = ""] = withoutDots(address).split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const gap = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...gap, ...after].map((group) => parseInt(group, 16));
}

/** The last 32 bits can be written as an IPv4 address. */
function withoutDots(address: string): string {
  if (!address.includes(".")) return address;
  const start = address.lastIndexOf(":") + 1;
  const [a, b, c, d] = address.slice(start).split(".").map(Number) as [number, number, number, number];
  return `${address.slice(0, start)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
