import fc from "fast-check";
import { expect, test } from "vitest";
import { networkOf } from "../../../src/abuse/network.ts";

test.each([
  ["192.0.2.1", "192.0.2.0/24"],
  ["192.0.2.255", "192.0.2.0/24"],
  ["::ffff:192.0.2.7", "192.0.2.0/24"],
  ["::ffff:c000:0207", "192.0.2.0/24"],
  ["2001:db8:0:12ff::1", "2001:db8:0:1200::/56"],
  ["2001:0DB8:0000:1200:ffff:ffff:ffff:ffff", "2001:db8:0:1200::/56"],
  ["2001:db8::192.0.2.1", "2001:db8:0:0::/56"],
  ["fe80::1%eth0", "fe80:0:0:0::/56"],
  ["::1", "0:0:0:0::/56"],
  ["", "unknown"],
  ["not an address", "unknown"],
  ["192.0.2.1, 198.51.100.1", "unknown"],
])("%s counts as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("addresses share a network exactly when their first 24 or 56 bits are the same", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), (a, b) => {
      const prefix = (address: string) => address.split(".").slice(0, 3).join(".");
      expect(networkOf(a) === networkOf(b)).toBe(prefix(a) === prefix(b));
    }),
  );
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, fc.integer({ min: 0, max: 0xff }), groups, (all, low, other) => {
      const same = [...all.slice(0, 3), (all[3]! & 0xff00) | low, ...other.slice(4)];
      const write = (parts: number[]) => parts.map((part) => part.toString(16)).join(":");
      fc.pre(all.slice(0, 5).some((part) => part !== 0));
      expect(networkOf(write(same))).toBe(networkOf(write(all)));
      expect(networkOf(write([all[0]! ^ 1, ...all.slice(1)]))).not.toBe(networkOf(write(all)));
    }),
  );
});
