import fc from "fast-check";
import { spf as oracle } from "mailauth/lib/spf/index.js";
import { describe, expect, test } from "vitest";
import { isAligned } from "../../../src/cli/doctor/alignment.ts";
import type { Check } from "../../../src/cli/doctor/check.ts";
import { checkReturnPath } from "../../../src/cli/doctor/return-path.ts";
import { readSpf } from "../../../src/cli/doctor/spf.ts";
import { type Records, zone } from "../../support/zone.ts";

const many = (n: number, of: (i: number) => string): string[] => Array.from({ length: n }, (_, i) => of(i));

describe("SPF", () => {
  const names: Record<string, Records> = {
    "relay.org": { txt: ["unrelated", "v=spf1 ip4:198.51.0.0/16 ip6:2a00:1::/32 -all"] },
    "half.org": { txt: ["v=spf1 a:away.org -all"] },
    "away.org": "away",
    "twice.org": { txt: ["v=spf1 -all", "v=spf1 ~all"] },
    "d.org": { mx: ["mx1.d.org", "mx2.d.org"], addresses: ["203.0.1.1"] },
    "mx1.d.org": { addresses: ["203.0.2.1"] },
    "mx2.d.org": { addresses: ["203.0.2.2", "2a00:2::1"] },
    "loop.org": { txt: ["v=spf1 include:loop.org -all"] },
    "wide.org": { mx: many(11, (i) => `mx${i}.wide.org`) },
    ...Object.fromEntries(many(4, (i) => `a${i}.org`).map((name) => [name, { addresses: ["203.0.9.9"] }])),
  };
  const read = (record: string, ip: string | null = null) => readSpf("d.org", `v=spf1 ${record}`, ip, zone(names));

  test.each<[string, string, string, boolean | null]>([
    ["an address in a network", "ip4:198.51.0.0/16 -all", "198.51.7.1", true],
    ["one outside of it", "ip4:198.51.0.0/16 -all", "198.52.7.1", false],
    ["IPv6", "ip6:2a00:1::/32 -all", "2a00:1::5", true],
    ["an address of the domain", "a -all", "203.0.1.1", true],
    ["a network around it", "a/24 -all", "203.0.1.77", true],
    ["an MX host", "mx ~all", "203.0.2.2", true],
    ["an IPv6 MX host", "mx//64 ~all", "2a00:2::9", true],
    ["an included record", "include:relay.org -all", "198.51.7.1", true],
    ["what an included record refuses goes on", "include:relay.org ip4:203.0.5.5 -all", "203.0.5.5", true],
    ["a redirect", "redirect=relay.org", "198.51.7.1", true],
    ["the first match counts", "-ip4:198.51.7.0/24 include:relay.org -all", "198.51.7.1", false],
    ["a soft fail is no pass", "~all", "198.51.7.1", false],
    ["nothing behind all counts", "-all ip4:198.51.7.1", "198.51.7.1", false],
    ["a macro can't be told", "exists:%{i}.relay.org -all", "198.51.7.1", null],
    ["a pass can be told after it", "exists:%{i}.relay.org ip4:198.51.7.1 -all", "198.51.7.1", true],
    ["nor can a name server that is away", "include:half.org -all", "198.51.7.1", null],
  ])("%s: %s", async (_what, record, ip, permits) => {
    expect(await read(record, ip)).toMatchObject({ fault: null, permits });
  });

  test.each<[string, string, string | null]>([
    ["10 lookups", many(10, (i) => `a:a${i % 4}.org`).join(" "), null],
    ["11 lookups", many(11, (i) => `a:a${i % 4}.org`).join(" "), "lookups"],
    ["lookups of included records", `include:relay.org ${many(10, () => "a").join(" ")}`, "lookups"],
    ["a loop", "include:loop.org", "lookups"],
    ["2 names without records", "a:x1.org mx:x2.org -all", null],
    ["3 names without records", "a:x1.org mx:x2.org a:x3.org -all", "empty_lookups"],
    ["an MX with 11 names", "mx:wide.org", "mx_names"],
    ["a mechanism that does not exist", "ipv4:198.51.7.1 -all", "term"],
    ["an address that is none", "ip4:198.51.7 -all", "term"],
    ["an IPv4 address as IPv6", "ip6:198.51.7.1 -all", "term"],
    ["an include of nothing", "include: -all", "term"],
    ["an included domain without a record", "include:d.org -all", "include_missing"],
    ["an included domain with two", "include:twice.org -all", "include_several"],
    ["what stands behind all", `-all ${many(11, () => "a").join(" ")} redirect=none.org`, null],
    ["unknown modifiers", "exp=why.org moo=1 -all", null],
  ])("%s: %s", async (_what, record, fault) => {
    expect((await read(record)).fault?.code ?? null).toBe(fault);
  });

  test("permits whom mailauth permits", async () => {
    const mechanism = fc.oneof(
      fc.constantFrom("a", "mx", "a/24", "mx//64", "a:mx1.d.org", "include:relay.org", "include:inner.org", "a:x1.org"),
      fc.constantFrom("ip4:203.0.0.0/22", "ip4:203.0.2.1", "ip6:2a00::/16", "redirect=relay.org"),
    );
    const term = fc.tuple(fc.constantFrom("", "+", "-", "~", "?"), mechanism).map(([sign, one]) => {
      return one.startsWith("redirect") ? one : sign + one;
    });
    const terms = fc
      .array(term, { maxLength: 5 })
      .map((all) => all.filter((one, i) => !one.startsWith("redirect") || i === all.length - 1));
    const ends = fc.constantFrom("", " -all", " ~all", " +all");
    const record = fc.tuple(terms, ends).map(([all, end]) => `v=spf1 ${all.join(" ")}${end}`);
    const ip = fc.constantFrom(
      "203.0.1.1",
      "203.0.1.9",
      "203.0.2.1",
      "203.0.2.2",
      "198.51.0.1",
      "192.0.2.1",
      "2a00:2::1",
    );
    await fc.assert(
      fc.asyncProperty(record, record, ip, async (outer, inner, from) => {
        const own = zone({
          ...names,
          "inner.org": { txt: [inner] },
          "d.org": { ...(names["d.org"] as object), txt: [outer] },
        });
        const reading = await readSpf("d.org", outer, from, own);
        if (reading.fault) return;
        const resolver = async (name: string, type: string): Promise<unknown> => {
          if (type === "TXT") return (await own.txt(name)).map((text) => [text]);
          if (type === "MX") return (await own.mx(name)).map((exchange) => ({ exchange, priority: 1 }));
          return (await own.addresses(name)).filter((one) => one.includes(":") === (type === "AAAA"));
        };
        const answer = await oracle({ sender: "x@d.org", ip: from, helo: "x", mta: "y", resolver } as never);
        expect([outer, inner, from, reading.permits]).toEqual([outer, inner, from, answer.status.result === "pass"]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("alignment", () => {
  const dmarc = (tags = "p=none"): Records => ({ txt: [`v=DMARC1; ${tags}`] });
  test.each<[string, string, string, Record<string, Records>, boolean | null]>([
    ["the same domain", "news.org", "news.org", {}, true],
    ["a subdomain", "bounce.news.org", "news.org", { "_dmarc.news.org": dmarc() }, true],
    ["two subdomains", "bounce.news.org", "mail.news.org", { "_dmarc.news.org": dmarc() }, true],
    ["another domain", "bounce.relay.org", "news.org", { "_dmarc.news.org": dmarc() }, false],
    ["another one with a record", "r.org", "n.org", { "_dmarc.n.org": dmarc(), "_dmarc.r.org": dmarc() }, false],
    ["strict mode", "bounce.news.org", "news.org", { "_dmarc.news.org": dmarc("p=none; aspf=s") }, false],
    ["strict mode from the parent", "b.n.org", "m.n.org", { "_dmarc.n.org": dmarc("p=none; aspf=s") }, false],
    ["no DMARC, a subdomain", "bounce.news.org", "news.org", {}, true],
    ["no DMARC, another domain", "bounce.relay.org", "news.org", {}, false],
    [
      "an organisation of its own below another",
      "bounce.uni.org",
      "lab.uni.org",
      { "_dmarc.uni.org": dmarc(), "_dmarc.lab.uni.org": dmarc("psd=n") },
      false,
    ],
    ["a public suffix", "b.one.co.uk", "two.co.uk", { "_dmarc.co.uk": dmarc("psd=y") }, false],
    ["below a public suffix", "b.one.co.uk", "one.co.uk", { "_dmarc.co.uk": dmarc("psd=y") }, true],
    ["no answer", "bounce.news.org", "mail.news.org", { "_dmarc.news.org": "away" }, null],
  ])("%s: %s, %s", async (_what, returnPath, from, names, aligned) => {
    expect(await isAligned(returnPath, from, zone(names))).toBe(aligned);
  });
});

describe("the return path", () => {
  const levels = (checks: readonly Check[]): string[] => checks.map((check) => `${check.name} ${check.level}`);
  const own = "v=spf1 ip4:198.1.0.1 -all";
  const names: Record<string, Records> = {
    "b.news.org": { txt: [own], mx: ["mx.news.org"] },
    "mx.news.org": { addresses: ["198.1.0.9"] },
    "relay.org": { addresses: ["198.1.0.1"] },
    "_dmarc.news.org": { txt: ["v=DMARC1; p=none"] },
  };
  const check = (more: Record<string, Records> = {}, settings: object = {}) =>
    checkReturnPath(
      {
        bounceAddress: "bounce@b.news.org",
        mailFrom: { address: "alerts@news.org" },
        smtp: { host: "relay.org" },
        ...settings,
      },
      zone({ ...names, ...more }),
    );
  const spf = (...txt: string[]): Record<string, Records> => ({ "b.news.org": { txt, mx: ["mx.news.org"] } });

  test.each<[string, Record<string, Records>, object, string[]]>([
    ["all is well", {}, {}, ["SPF ok", "MX ok", "alignment ok"]],
    ["no SPF record", spf(), {}, ["SPF warn", "MX ok", "alignment ok"]],
    ["two SPF records", spf(own, own), {}, ["SPF fail", "MX ok", "alignment ok"]],
    ["everyone may send", spf("v=spf1 +all"), {}, ["SPF warn", "MX ok", "alignment ok"]],
    [
      "a name that contains all is not +all",
      spf("v=spf1 include:all.org -all"),
      {},
      ["SPF fail", "MX ok", "alignment ok"],
    ],
    ["too many lookups", spf(`v=spf1 ${many(11, () => "mx").join(" ")}`), {}, ["SPF fail", "MX ok", "alignment ok"]],
    ["a relay that is not listed", spf("v=spf1 ip4:198.1.0.2 -all"), {}, ["SPF warn", "MX ok", "alignment ok"]],
    [
      "a relay that sends from elsewhere",
      { ...spf("v=spf1 include:_spf.relay.org -all"), "_spf.relay.org": { txt: ["v=spf1 ip4:198.9.0.0/16 -all"] } },
      {},
      ["SPF ok", "MX ok", "alignment ok"],
    ],
    ["a relay on this machine", {}, { smtp: { host: "127.0.0.1" } }, ["SPF ok", "MX ok", "alignment ok"]],
    ["no relay", {}, { smtp: null }, ["SPF ok", "MX ok", "alignment ok"]],
    ["no MX record", { "b.news.org": { txt: [own] } }, {}, ["SPF ok", "MX fail", "alignment ok"]],
    ["an MX host without address", { "mx.news.org": {} }, {}, ["SPF ok", "MX fail", "alignment ok"]],
    ["another domain", {}, { mailFrom: { address: "a@other.org" } }, ["SPF ok", "MX ok", "alignment warn"]],
    ["no BOUNCE_ADDRESS", { "news.org": { txt: [own] } }, { bounceAddress: null }, ["SPF ok"]],
    ["a sender's domain that does not exist", {}, { bounceAddress: null, mailFrom: { address: "a@nwes.org" } }, []],
    ["a domain that is not public", {}, { bounceAddress: "b@news.test" }, ["DNS ok"]],
    ["nothing that is public", {}, { bounceAddress: null, mailFrom: { address: "a@localhost" } }, []],
    ["no answer", { "b.news.org": "away", "_dmarc.b.news.org": "away" }, {}, []],
  ])("%s", async (_what, more, settings, expected) => {
    expect(levels(await check(more, settings))).toEqual(expected);
  });
});
