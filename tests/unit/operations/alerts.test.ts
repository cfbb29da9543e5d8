import { describe, expect, test } from "vitest";
import { compareAlerts, type OpenAlert } from "../../../src/operations/alerts/compare.ts";
import { findTrouble, type AlertFacts, type Trouble } from "../../../src/operations/alerts/conditions.ts";
import { signedHeaders } from "../../../src/operations/alerts/webhook.ts";
import { loadConfig } from "../../../src/config/load.ts";

const now = new Date("2026-11-24T08:00:00Z");
const ago = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);

const well: AlertFacts = { now, editions: [], feeds: [], relay: { host: "one", reason: null }, notSentLimit: 5 };
const finished: AlertFacts["editions"][number] = {
  id: 7,
  name: "2026-11-24",
  state: "finished",
  reason: null,
  articles: 12,
  readers: 1200,
  selected: 1000,
  rejected: 50,
  expired: 0,
  unknown: 0,
  suppressed: 0,
  answered: 0,
  goneAccepted: false,
  overtaken: false,
  past: null,
};
const past = { editions: 20, articles: 3, selected: 40 };
const feed = { id: 3, title: "Wire", failures: 90, lastError: "it answered 404", wellAt: ago(25) };

describe("what is trouble", () => {
  const edition = (part: Partial<typeof finished>): Partial<AlertFacts> => ({ editions: [{ ...finished, ...part }] });
  test.each<[string, Partial<AlertFacts>, string[]]>([
    ["nothing", {}, []],
    ["5 % are the limit", edition({}), []],
    [
      "more than that",
      edition({ expired: 1 }),
      ["not-sent: 51 of 1,000 deliveries of 2026-11-24 (5.1%) were not sent"],
    ],
    ["not before it is finished", edition({ expired: 1, state: "sending" }), []],
    ["one of three says nothing", edition({ selected: 3, rejected: 1 }), []],
    ["unknown", edition({ unknown: 1 }), ["unknown: The relay did not confirm 1 delivery of 2026-11-24."]],
    [
      "held",
      edition({ state: "held", reason: { code: "other", data: { text: "It is empty" } } }),
      ["edition-held: .* until it is approved. It is empty.$"],
    ],
    [
      "missed",
      edition({ state: "missed", reason: { code: "other", data: { text: "It slept." } } }),
      ["edition-missed: .* was not sent. It slept.$"],
    ],
    ["missed and overtaken", edition({ state: "missed", overtaken: true }), []],
    [
      "empty, and never before",
      edition({ state: "empty", articles: 0, selected: 0, past }),
      ["edition-empty: The edition of 2026-11-24 is empty: .* each of the last 20 editions before had some.$"],
    ],
    ["empty, as one before", edition({ state: "empty", articles: 0, selected: 0, past: { ...past, articles: 0 } }), []],
    [
      "empty within its first week",
      edition({ state: "empty", articles: 0, selected: 0, past: { ...past, editions: 6 } }),
      [],
    ],
    ["empty, and over", edition({ state: "empty", articles: 0, selected: 0 }), []],
    [
      "for nobody, and never before",
      edition({ selected: 0, rejected: 0, past: { ...past, editions: 7 } }),
      [
        "edition-empty: .* has 12 articles and went to nobody: .* each of the 7 editions before went to 40 readers or more.$",
      ],
    ],
    ["for nobody, with few readers", edition({ selected: 0, rejected: 0, past: { ...past, selected: 4 } }), []],
    ["for nobody, with none", edition({ selected: 0, rejected: 0, readers: 0, past }), []],
    ["paused by hand", edition({ state: "paused", reason: { code: "other", data: { text: "A wrong headline" } } }), []],
    [
      "paused by itself",
      edition({ state: "paused", reason: { code: "relay_refuses_all", data: { reply: "554 no" } } }),
      ["relay: .*554 no.$"],
    ],
    [
      "paused by itself because of the addresses",
      edition({ state: "paused", reason: { code: "many_addresses_gone", data: { gone: 20, answered: 21 } } }),
      ["suppressions: .* has stopped. .*20 of the first 21 addresses .*$"],
    ],
    [
      "so many of a small list that it was finished before it could pause",
      edition({ selected: 12, rejected: 12, suppressed: 12, answered: 12 }),
      [
        "suppressions: The relay reported that 12 of 12 addresses of 2026-11-24 do not exist. They are suppressed.",
        "not-sent: 12 of 12 deliveries",
      ],
    ],
    [
      "all of a smaller one that the relay has answered for",
      edition({ selected: 5, rejected: 3, expired: 1, suppressed: 3, answered: 3 }),
      ["suppressions: The relay reported that 3 of 5 addresses of 2026-11-24 do not exist. They are suppressed."],
    ],
    ["one of a smaller one", edition({ selected: 4, rejected: 1, suppressed: 1, answered: 4 }), []],
    [
      "the same, and an operator has seen it",
      edition({ suppressed: 500, answered: 1000, rejected: 0, goneAccepted: true }),
      [],
    ],
    ["a feed for a day", { feeds: [feed] }, ["source-failing: Wire has failed for more than a day: it answered 404.$"]],
    ["a feed for less", { feeds: [{ ...feed, wellAt: ago(23) }] }, []],
    ["a feed nobody asked for days", { feeds: [{ ...feed, failures: 0 }] }, []],
    [
      "the relay",
      { relay: { host: "one", reason: "421 busy" } },
      ["relay: The relay is not accepting email from one: 421 busy.$"],
    ],
  ])("%s", (_what, part, expected) => {
    const found = findTrouble({ ...well, ...part }).map(({ kind, sentence }) => `${kind}: ${sentence}`);
    expect(found).toEqual(expected.map((pattern) => expect.stringMatching(`^${pattern.replace(/[()]/g, "\\$&")}`)));
  });
});

describe("each trouble is told once, and once more when it clears", () => {
  const trouble: Trouble = { kind: "unknown", subject: "edition 7", sentence: "Three." };
  const relay: Trouble = { kind: "relay", subject: "relay of one", sentence: "Busy." };
  const open = (of: Trouble, part: Partial<OpenAlert> = {}): OpenAlert => ({
    ...of,
    id: 1,
    seenAt: ago(1),
    toldAt: ago(1),
    ...part,
  });
  test.each<[string, OpenAlert[], Trouble[], Record<string, number>]>([
    ["new", [], [trouble, trouble], { seen: 1 }],
    ["told already", [open(trouble)], [trouble], {}],
    ["in other words now", [open(trouble)], [{ ...trouble, sentence: "Four." }], { reworded: 1 }],
    ["over", [open(trouble)], [], { cleared: 1 }],
    ["another edition's", [open(trouble)], [{ ...trouble, subject: "edition 8" }], { seen: 1, cleared: 1 }],
    ["over after a week and more", [open(trouble, { seenAt: ago(200) })], [], { dropped: 1 }],
    ["short trouble of the relay", [open(relay, { toldAt: null, seenAt: ago(0.01) })], [relay], {}],
    ["lasting", [open(relay, { toldAt: null, seenAt: ago(0.1) })], [relay], { told: 1 }],
    ["over untold", [open(relay, { toldAt: null, seenAt: ago(0.01) })], [], { dropped: 1 }],
    ["as another machine sees it", [open({ ...relay, subject: "relay of two" })], [], {}],
    ["an edition that the relay stopped", [open({ ...relay, subject: "edition 7" })], [], { cleared: 1 }],
  ])("%s", (_what, alerts, troubles, expected) => {
    const changes = Object.entries(compareAlerts(alerts, troubles, now, "one"));
    const counts = changes.filter(([, list]) => list.length > 0).map(([name, list]) => [name, list.length]);
    expect(Object.fromEntries(counts)).toEqual(expected);
  });
});

// The example of Standard Webhooks' own libraries (svix/svix-webhooks).
test("a call is signed as Standard Webhooks has it", () => {
  const at = new Date(1_614_265_330_000);
  const call = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body: '{"test": 2432232314}' };
  expect(signedHeaders("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", call)).toMatchObject({
    "webhook-id": call.id,
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

test("who is told is set by addresses and a webhook with its key", () => {
  const key = "k".repeat(32);
  const hook = { ALERT_WEBHOOK: "https://hooks.example/x", ALERT_WEBHOOK_SECRET: key };
  expect(loadConfig({ ...hook, ALERT_MAIL: "a@example.com, b@example.com,a@example.com" })).toMatchObject({
    alertMail: ["a@example.com", "b@example.com"],
    alertWebhook: { url: "https://hooks.example/x", secret: key },
  });
  expect(() => loadConfig({ ALERT_WEBHOOK: hook.ALERT_WEBHOOK })).toThrow(/^ALERT_WEBHOOK_SECRET is not set/);
  expect(() => loadConfig({ ...hook, ALERT_WEBHOOK: "https://me:pw@hooks.example/" })).toThrow(
    /without user and password/,
  );
  expect(() => loadConfig({ ALERT_MAIL: "nobody" })).toThrow(/^ALERT_MAIL: "nobody"/);
});
