import { describe, expect, test } from "vitest";
import { summary, type Check, checkDataFolder, checkPublicUrl } from "../../../src/cli/doctor/check.ts";
import { checkDns, judgeDns } from "../../../src/cli/doctor/dns.ts";
import { judgeRedis } from "../../../src/cli/doctor/engines.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { zone } from "../../support/zone.ts";
import { execute } from "./execute.ts";

const levels = (checks: readonly Check[]): string[] => checks.map((check) => `${check.name} ${check.level}`);

describe("DNS", () => {
  test.each<[string, Parameters<typeof judgeDns>[1], string[]]>([
    ["all records exist", { dmarc: ["v=DMARC1; p=none"], mx: ["mx.news.org"] }, ["DMARC ok", "MX ok"]],
    ["no records", { dmarc: [], mx: [] }, ["DMARC warn", "MX warn"]],
    [
      "two DMARC records count as none",
      { dmarc: ["v=DMARC1; p=none", "v=DMARC1; p=reject"], mx: null },
      ["DMARC fail"],
    ],
    ["no answer", { dmarc: null, mx: null }, ["DNS warn"]],
  ])("%s", (_what, records, expected) => {
    expect(levels(judgeDns("news.org", records))).toEqual(expected);
  });

  test("a domain without DMARC uses that of its parent", async () => {
    const lookup = zone({
      "_dmarc.news.org": { txt: ["v=DMARC1; p=reject"] },
      "mail.news.org": { mx: ["mx.news.org"] },
    });
    expect(levels(await checkDns("alerts@mail.news.org", lookup))).toEqual(["DMARC ok", "MX ok"]);
  });

  test("a domain that does not exist is one warning, not three", async () => {
    const checks = await checkDns("alerts@nwes.org", zone({}));
    expect(levels(checks)).toEqual(["DNS warn"]);
    expect(checks[0]!.sentence).toContain("Check MAIL_FROM");
  });

  test("a missing name server is not a failure", async () => {
    const [check] = await checkDns("alerts@news.org", zone({ "news.org": "away", "_dmarc.news.org": "away" }));
    expect(check).toMatchObject({ level: "warn", sentence: expect.stringContaining("dig TXT news.org") });
  });

  test.each(["alerts@localhost", "alerts@news.example", "alerts@newsroom"])("%s is not looked up", async (address) => {
    const asked = (): never => expect.fail("a name was looked up");
    expect(levels(await checkDns(address, { txt: asked, mx: asked, addresses: asked }))).toEqual(["DNS ok"]);
  });
});

describe("Redis", () => {
  const info = (version: string, policy: string, aof: number): string =>
    `# Server\r\nredis_version:${version}\r\nmaxmemory_policy:${policy}\r\naof_enabled:${aof}\r\n`;
  test.each<[string, string, string[]]>([
    ["correct", info("7.0.15", "noeviction", 1), ["queue ok"]],
    ["deletes jobs", info("7.0.15", "allkeys-lru", 1), ["queue ok", "queue warn"]],
    ["loses jobs", info("7.0.15", "noeviction", 0), ["queue ok", "queue warn"]],
    ["too old", info("5.0.7", "noeviction", 1), ["queue fail"]],
  ])("%s", (_what, text, expected) => {
    expect(levels(judgeRedis("redis", text))).toEqual(expected);
  });
});

describe("the public URL", () => {
  const relay = {
    SMTP_URL: "smtps://u:p@relay.example.org",
    MAIL_FROM: "alerts@news.org",
    POSTAL_ADDRESS: "1 Press Street",
  };
  test.each<[string, Record<string, string>, Check["level"]]>([
    ["https", { ...relay, PUBLIC_URL: "https://alerts.news.org" }, "ok"],
    ["http with a remote relay", { ...relay, PUBLIC_URL: "http://alerts.news.org" }, "fail"],
    ["this machine with a remote relay", { ...relay, PUBLIC_URL: "http://localhost:3000" }, "fail"],
    ["this machine without a relay", {}, "ok"],
    ["http without a relay", { PUBLIC_URL: "http://alerts.news.org" }, "warn"],
  ])("%s", (_what, env, level) => {
    expect(checkPublicUrl(loadConfig(env)).level).toBe(level);
  });
});

test("the public URL of a server on this machine is the one it listens on", () => {
  const config = loadConfig({});
  expect(checkPublicUrl(config, "http://127.0.0.1:4100").sentence).toContain("http://127.0.0.1:4100");
  const published = loadConfig({ PUBLIC_URL: "https://alerts.news.org" });
  expect(checkPublicUrl(published, "http://127.0.0.1:4100").sentence).toContain("https://alerts.news.org");
});

test("a data folder that cannot be created", () => {
  expect(checkDataFolder("/dev/null/dayletter").level).toBe("fail");
});

test("each wrong setting is a failure", async () => {
  const { code, stdout } = await execute(["doctor", "--json"], { PORT: "abc", SEND_AT: "25:00" });
  expect(code).toBe(1);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
  expect(ok).toBe(false);
  expect(checks.map((check) => check.sentence.split(":")[0])).toEqual(["PORT", "SEND_AT"]);
});

test("the summary counts", () => {
  const checks = [{ level: "ok" }, { level: "warn" }, { level: "fail" }, { level: "fail" }] as Check[];
  expect(summary(checks)).toBe("4 checks: 1 ok, 1 warning, 2 failures.");
});
