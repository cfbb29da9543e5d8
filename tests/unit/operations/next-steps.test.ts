import { expect, test } from "vitest";
import { nextSteps } from "../../../src/operations/next-steps.ts";
import type { Status } from "../../../src/operations/status.ts";

const fresh: Status = {
  publication: "Telecom Daily",
  engines: { records: "embedded", queue: "embedded", mail: "outbox" },
  schedule: { timezone: "UTC", sendAt: "07:00", sendDays: [1], skipped: new Set(), since: new Date(0) },
  next: [{ date: "2026-11-25", at: new Date("2026-11-25T07:00:00Z"), note: null }],
  latest: null,
  sources: { total: 0, unhealthy: [] },
  subscribers: { pending: 0, active: 0, unsubscribed: 0, suppressed: 0 },
  waiting: 0,
  transport: { open: 0, busy: 0, pausedUntil: null, reason: null },
};
const relay = { host: "relay.example", port: 587, secure: false, user: null, password: null, requireTls: true };
const publicUrl = "https://alerts.example";

test("a fresh installation is told to connect sources, readers and a relay, in that order", () => {
  const { next } = nextSteps(fresh, { smtp: null, publicUrl: "http://localhost:3000" });
  expect(next.map((sentence) => /sources add|subscribers add|SMTP_URL/.exec(sentence)?.[0])).toEqual([
    "sources add",
    "subscribers add",
    "SMTP_URL",
  ]);
});

test("one that has all of it is told nothing", () => {
  const whole = {
    ...fresh,
    sources: { total: 2, unhealthy: [] },
    subscribers: { ...fresh.subscribers, active: 4_812 },
    waiting: 1,
  };
  expect(nextSteps(whole, { smtp: relay, publicUrl })).toEqual({
    done: [
      "2 sources connected.",
      "4,812 active readers.",
      "Email is sent through the relay relay.example:587.",
      "Next edition: 2026-11-25, 07:00 (UTC).",
      "1 article waiting.",
    ],
    next: [],
  });
});

test("a relay in trouble is the next step, not a connected one", () => {
  const { done, next } = nextSteps(
    { ...fresh, transport: { ...fresh.transport, reason: "421" } },
    { smtp: relay, publicUrl },
  );
  expect(done.join()).not.toContain("relay.example");
  expect(next.join("\n")).toMatch(/relay\.example:587 .*dayletter doctor/);
});

test("the address of the outbox is named only where it is shown", () => {
  const told = (url: string): string => nextSteps(fresh, { smtp: null, publicUrl: url }).done.join(" ");
  expect(told("http://localhost:3000")).toContain("/outbox");
  expect(told(publicUrl)).not.toContain("/outbox");
});
