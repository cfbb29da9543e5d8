import { expect, test } from "vitest";
import { parseAddress, parseAnyAddress } from "../../../src/base/address.ts";

test.each([
  ["  Ada+News@EXAMPLE.com ", "Ada+News@example.com"],
  ["ada@한국.kr", "ada@xn--3e0b707e.kr"],
  ["ada@ｅxample。com", "ada@example.com"],
  ["ada@раypal.com", "ada@xn--ypal-43d9g.com"],
  ["o'neil=x@sub.example.com", "o'neil=x@sub.example.com"],
])("%j is %s, and its key is the same in lower case", (raw, address) => {
  expect(parseAddress(raw)).toEqual({ address, key: address.toLowerCase() });
});

test.each([
  "ada",
  "@example.com",
  "ada@",
  "a b@example.com",
  '"ada"@example.com',
  "ada(the first)@example.com",
  "한국@example.com",
  "ada@example.com\r\nBcc: bob@example.com",
  "ada@example.com,bob@example.com",
  "ada@bob@example.com",
  "ada@example.com.",
  "ada@example..com",
  "ada@[192.0.2.1]",
  "ada@[IPv6:2001:db8::1]",
  "ada@localhost",
  "ada@gmail",
  "ada@gmail.",
  "ada@한국",
  "ada\0@example.com",
  "ada@exam\u202eple.com",
  // A URL's host would be found in these, too.
  "ada@example.com/path",
  "ada@example.com?cc=bob@example.com",
  "ada@example.com#bob",
  "ada@example.com\\bob",
  "ada@exa\tmple.com",
  "ada@ex\nample.com",
  "ada@ex%61mple.com",
  // Mail to a number goes to whatever machine has it, the relay's own network included.
  "ada@192.0.2.1",
  "ada@127.1",
  "ada@0x7f.1",
  "ada@2130706433",
  `${"a".repeat(65)}@example.com`,
  `ada@${"a".repeat(64)}.com`,
  `ada@${"abcdefghi.".repeat(25)}example.com`,
])("%j is refused", (raw) => {
  expect(() => parseAddress(raw)).toThrow(expect.objectContaining({ code: "address_invalid", status: 422 }));
});

test("an operator's own mailbox may be on this machine, but not at a number", () => {
  expect(parseAnyAddress("Alerts@LOCALHOST")).toEqual({ address: "Alerts@localhost", key: "alerts@localhost" });
  for (const raw of ["alerts@[127.0.0.1]", "alerts@127.0.0.1", "alerts@"]) expect(() => parseAnyAddress(raw)).toThrow();
});
