import {
  compareAlerts,
  findTrouble,
  type AlertFacts,
  type Changes,
  type OpenAlert,
  type Trouble,
} from "../../../src/alerts/conditions.ts";
import { describe, expect, test } from "vitest";
import { alertInWords } from "../../../src/texts/alerts.ts";
import { signedHeaders } from "../../../src/alerts/calls.ts";
import { loadConfig } from "../../../src/config/load.ts";

const now = new Date("2026-11-24T08:00:00Z");
const ago = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);

const well: AlertFacts = {
  now,
  editions: [],
  feeds: [],
  relay: { host: "one", reason: null },
  blocked: [],
  quota: null,
  notSentLimit: 5,
  outcomes: [],
  complaining: new Set(),
  sources: [],
};
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
  closedAt: new Date("2026-11-24T07:30:00Z"),
  recipients: 1000,
  policy: 0,
};
const past = { editions: 20, articles: 3, selected: 40 };
const none = { hard: 0, soft: 0, policy: 0 };
const google = { ...none, name: "google", emails: 1000, complained: 0 };
const yahoo = { ...none, name: "yahoo", emails: 1000, complained: 0 };
const days = (count: number): Date => ago(24 * count);
const listener: AlertFacts["sources"][number] = {
  source: "listener",
  days: 9,
  lastAt: days(4),
  usualPauseMs: 18 * 3_600_000,
  editions: 3,
};
const feed = { id: 3, title: "Wire", failures: 90, lastError: { text: "it answered 404" }, wellAt: ago(25) };

describe("what is trouble", () => {
  const edition = (part: Partial<typeof finished>): Partial<AlertFacts> => ({ editions: [{ ...finished, ...part }] });
  const because = (text: string) => ({ code: "other", data: { text } }) as const;
  const refused = { code: "relay_refuses_all", data: { reply: "554 no" } } as const;
  const gone = { code: "many_addresses_gone", data: { gone: 20, answered: 21 } } as const;
  const name = "2026-11-24";
  test.each<[string, Partial<AlertFacts>, [Trouble["kind"], object][]]>([
    ["nothing", {}, []],
    ["5 % are the limit", edition({}), []],
    [
      "more than that",
      edition({ expired: 1 }),
      [["not-sent", { edition: name, selected: 1000, rejected: 50, expired: 1 }]],
    ],
    ["not before it is finished", edition({ expired: 1, state: "sending" }), []],
    ["one of three says nothing", edition({ selected: 3, rejected: 1 }), []],
    ["unknown", edition({ unknown: 1 }), [["unknown", { edition: name, count: 1 }]]],
    [
      "held",
      edition({ state: "held", reason: because("It is empty") }),
      [["edition-held", { edition: name, reason: because("It is empty") }]],
    ],
    [
      "missed",
      edition({ state: "missed", reason: because("It slept.") }),
      [["edition-missed", { edition: name, reason: because("It slept.") }]],
    ],
    ["missed and overtaken", edition({ state: "missed", overtaken: true }), []],
    [
      "empty, and never before",
      edition({ state: "empty", articles: 0, selected: 0, past }),
      [["edition-empty", { edition: name, articles: 0, past }]],
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
      [["edition-empty", { edition: name, articles: 12, past: { ...past, editions: 7 } }]],
    ],
    ["for nobody, with few readers", edition({ selected: 0, rejected: 0, past: { ...past, selected: 4 } }), []],
    ["for nobody, with none", edition({ selected: 0, rejected: 0, readers: 0, past }), []],
    ["paused by hand", edition({ state: "paused", reason: because("A wrong headline") }), []],
    [
      "paused by itself",
      edition({ state: "paused", reason: refused }),
      [["relay", { edition: name, reason: refused }]],
    ],
    [
      "paused by itself because of the addresses",
      edition({ state: "paused", reason: gone }),
      [["suppressions", { edition: name, reason: gone }]],
    ],
    [
      "so many of a small list that it was finished before it could pause",
      edition({ selected: 12, rejected: 12, suppressed: 12, answered: 12 }),
      [
        ["suppressions", { edition: name, gone: 12, selected: 12 }],
        ["not-sent", { edition: name, selected: 12, rejected: 12, expired: 0 }],
      ],
    ],
    [
      "all of a smaller one that the relay has answered for",
      edition({ selected: 5, rejected: 3, expired: 1, suppressed: 3, answered: 3 }),
      [["suppressions", { edition: name, gone: 3, selected: 5 }]],
    ],
    ["one of a smaller one", edition({ selected: 4, rejected: 1, suppressed: 1, answered: 4 }), []],
    [
      "the same, and an operator has seen it",
      edition({ suppressed: 500, answered: 1000, rejected: 0, goneAccepted: true }),
      [],
    ],
    [
      "a feed for a day",
      { feeds: [feed] },
      [["source-failing", { source: 3, title: "Wire", error: { text: "it answered 404" } }]],
    ],
    ["a feed for less", { feeds: [{ ...feed, wellAt: ago(23) }] }, []],
    ["a feed nobody asked for days", { feeds: [{ ...feed, failures: 0 }] }, []],
    ["the relay", { relay: { host: "one", reason: "421 busy" } }, [["relay", { host: "one", reply: "421 busy" }]]],
    ["complaints of one reader in ten", { outcomes: [{ ...google, emails: 10, complained: 1 }] }, []],
    ["complaints of four", { outcomes: [{ ...google, complained: 4 }] }, []],
    ["complaints above Gmail's first line", { outcomes: [{ ...google, emails: 5000, complained: 14 }] }, []],
    [
      "complaints at its second",
      { outcomes: [{ ...google, emails: 5000, complained: 15 }, yahoo] },
      [["complaints", { provider: "google", emails: 5000, complained: 15 }]],
    ],
    [
      "complaints at two",
      {
        outcomes: [
          { ...google, complained: 9 },
          { ...yahoo, complained: 5 },
        ],
      },
      [
        ["complaints", { provider: "google", emails: 1000, complained: 9 }],
        ["complaints", { provider: "yahoo", emails: 1000, complained: 5 }],
      ],
    ],
    [
      "complaints that are only a little fewer since the alert",
      { outcomes: [{ ...google, emails: 5000, complained: 10 }], complaining: new Set(["complaints of google"]) },
      [["complaints", { provider: "google", emails: 5000, complained: 10 }]],
    ],
    [
      "complaints that are far fewer since the alert",
      { outcomes: [{ ...google, emails: 5000, complained: 9 }], complaining: new Set(["complaints of google"]) },
      [],
    ],
    [
      "as many complaints at another one",
      { outcomes: [{ ...google, emails: 5000, complained: 10 }], complaining: new Set(["complaints of yahoo"]) },
      [],
    ],
    [
      "complaints at many, each with few",
      { outcomes: Array.from({ length: 20 }, (_, i) => ({ ...google, name: `host${i}`, emails: 50, complained: 1 })) },
      [["complaints", { provider: null, emails: 1000, complained: 20 }]],
    ],
    [
      "refused because of the content",
      edition({ policy: 21 }),
      [["policy-bounces", { edition: name, emails: 1000, policy: 21 }]],
    ],
    ["refused by a few servers", edition({ policy: 20 }), []],
    ["refused by a few of a small list", edition({ policy: 9, recipients: 12 }), []],
    [
      "refused, and nothing is known of the next one yet",
      { editions: [{ ...finished, policy: 50 }, { ...finished }] },
      [["policy-bounces", { edition: name, emails: 1000, policy: 50 }]],
    ],
    [
      "refused, and the next one was not",
      {
        editions: [
          { ...finished, policy: 50 },
          { ...finished, closedAt: days(1) },
        ],
      },
      [],
    ],
    [
      "a silent way in",
      { sources: [listener] },
      [["reports-silent", { source: "listener", since: "2026-11-20", editions: 3 }]],
    ],
    [
      "a silent webhook",
      { sources: [{ ...listener, source: "ses" }] },
      [["reports-silent", { source: "ses", since: "2026-11-20", editions: 3 }]],
    ],
    ["one that is silent for less than three days", { sources: [{ ...listener, lastAt: ago(71) }] }, []],
    ["one that reported each day, after less than that", { sources: [{ ...listener, usualPauseMs: 864e5 }] }, []],
    ["one without editions since", { sources: [{ ...listener, editions: 2 }] }, []],
    ["one that seldom reported", { sources: [{ ...listener, days: 4 }] }, []],
    [
      "one that usually reports each week, for five weeks",
      { sources: [{ ...listener, lastAt: days(35), usualPauseMs: 7 * 864e5 }] },
      [["reports-silent", { source: "listener", since: "2026-10-20", editions: 3 }]],
    ],
    ["one that was switched off", { sources: [{ ...listener, lastAt: days(34) }] }, []],
    ...(["hour", "day", "account"] as const).map(
      (quota): [string, Partial<AlertFacts>, [Trouble["kind"], object][]] => [
        `the relay's quota of the ${quota}, which is one alert`,
        { quota: { period: quota, reply: "454 used up" }, relay: { host: "one", reason: "454 used up" } },
        [["relay-quota", { quota, reply: "454 used up" }]],
      ],
    ),
  ])("%s", (_what, part, expected) => {
    const found = findTrouble({ ...well, ...part });
    expect(found.map(({ kind, data }) => [kind, data])).toEqual(expected);
    for (const trouble of found) expect(alertInWords(trouble)).not.toMatch(/none|undefined|null|[{}]/);
  });
});

describe("each trouble is told once, and once more when it clears", () => {
  const trouble: Trouble = { kind: "unknown", subject: "edition 7", data: { edition: "2026-11-24", count: 3 } };
  const relay: Trouble = { kind: "relay", subject: "relay of one", data: { host: "one", reply: "421 busy" } };
  const open = (of: Trouble, part: Partial<OpenAlert> = {}): OpenAlert => ({
    ...of,
    id: 1,
    seenAt: ago(1),
    notifiedAt: ago(1),
    ...part,
  });
  test.each<[string, OpenAlert[], Trouble[], Record<string, number>]>([
    ["new", [], [trouble, trouble], { seen: 1 }],
    ["told already", [open(trouble)], [trouble], {}],
    [
      "with other data now",
      [open(trouble)],
      [{ ...trouble, data: { edition: "2026-11-24", count: 4 } }],
      { changed: 1 },
    ],
    ["over", [open(trouble)], [], { cleared: 1 }],
    ["another edition's", [open(trouble)], [{ ...trouble, subject: "edition 8" }], { seen: 1, cleared: 1 }],
    ["of an edition that is too old to be checked", [open({ ...trouble, subject: "edition 3" })], [], { dropped: 1 }],
    ["over after a week and more", [open({ ...relay, subject: "source 4" }, { seenAt: ago(200) })], [], { cleared: 1 }],
    ["of a host that is gone", [open({ ...relay, subject: "relay of two" }, { seenAt: ago(200) })], [], { dropped: 1 }],
    ["short trouble of the relay", [open(relay, { notifiedAt: null, seenAt: ago(0.01) })], [relay], {}],
    ["lasting", [open(relay, { notifiedAt: null, seenAt: ago(0.1) })], [relay], { notify: 1 }],
    ["over untold", [open(relay, { notifiedAt: null, seenAt: ago(0.01) })], [], { dropped: 1 }],
    ["as another machine sees it", [open({ ...relay, subject: "relay of two" })], [], {}],
    ["an edition that the relay stopped", [open({ ...relay, subject: "edition 7" })], [], { cleared: 1 }],
  ])("%s", (_what, alerts, troubles, expected) => {
    const changes = Object.entries<Changes[keyof Changes]>({
      ...compareAlerts(alerts, troubles, now, { editions: [finished, { id: 8 }], host: "one" }),
    });
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
  expect(() => loadConfig({ ALERT_WEBHOOK: hook.ALERT_WEBHOOK })).toThrow(
    "ALERT_WEBHOOK_SECRET webhook_secret_missing",
  );
  expect(() => loadConfig({ ...hook, ALERT_WEBHOOK: "https://me:pw@hooks.example/" })).toThrow("ALERT_WEBHOOK ");
  expect(() => loadConfig({ ALERT_MAIL: "nobody" })).toThrow("ALERT_MAIL ");
});
