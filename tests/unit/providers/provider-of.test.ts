import fc from "fast-check";
import { expect, test } from "vitest";
import { isOwnDomain, ownDomains, providerOf } from "../../../src/providers/provider-of.ts";

test.each<[string, string[], string]>([
  ["gmail.com", [], "google"],
  ["googlemail.com", ["mx.evil.example."], "google"],
  ["hotmail.co.uk", [], "microsoft"],
  ["aol.com", [], "yahoo"],
  ["me.com", [], "apple"],
  ["web.de", [], "gmx"],
  ["hanmail.net", [], "kakao"],
  ["126.com", [], "netease"],
  // By MX host.
  ["paper.example", ["ASPMX.L.GOOGLE.COM.", "alt1.aspmx.l.google.com"], "google"],
  ["firm.example", ["firm-example.mail.protection.outlook.com"], "microsoft"],
  ["club.example", ["mx-eu.mail.am0.yahoodns.net"], "yahoo"],
  ["shop.example", ["in1-smtp.messagingengine.com"], "fastmail"],
  ["one.example", ["mx1.hosting.example.net"], "example.net"],
  ["two.example", ["mx.mail.hosting.co.uk"], "hosting.co.uk"],
  ["three.example", ["mx.hosting.co"], "hosting.co"],
  ["four.example", ["mx.hosting.com.br"], "hosting.com.br"],
  // A name that only ends like a provider's.
  ["five.example", ["mx.notgoogle.com"], "notgoogle.com"],
  // No answer, no email (RFC 7505), and answers that are no names.
  ["six.example", [], "six.example"],
  ["seven.example", ["."], "seven.example"],
  ["eight.example", ["192.0.2.1"], "eight.example"],
  ["nine.example", ["localhost"], "nine.example"],
  ["ten.example", ["a b.example.com"], "ten.example"],
  ["eleven.example", ["mx.google.com\u0000.evil.example"], "eleven.example"],
])("%s with MX %j is of %s", (domain, hosts, provider) => {
  expect(providerOf(domain, hosts)).toBe(provider);
});

test("whatever a name server says, a large provider's own domains stay its own, and a name stays a name", () => {
  const hosts = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.domain()), { maxLength: 4 });
  fc.assert(
    fc.property(hosts, fc.constantFrom(...ownDomains.keys()), (answer, domain) => {
      expect(providerOf(domain, answer)).toBe(ownDomains.get(domain));
      expect(providerOf("news.example", answer)).toMatch(/^[a-z0-9_.-]{1,253}$/);
    }),
  );
});

test("a customer's domain is not its provider's own", () => {
  expect(isOwnDomain("gmail.com", "google")).toBe(true);
  expect(isOwnDomain("paper.example", "google")).toBe(false);
  expect(isOwnDomain("paper.example", "paper.example")).toBe(true);
});
