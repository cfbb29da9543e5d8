import { expect, test } from "vitest";
import { nextSteps } from "../../../src/alerts/next-steps.ts";
import type { Status } from "../../../src/alerts/status.ts";
import type { Message, MessageKey } from "../../../src/texts/catalogue.ts";

const fresh: Status = {
  publication: "Telecom Daily",
  engines: { records: "embedded", queue: "embedded", mail: "outbox" },
  schedule: { timezone: "UTC", sendAt: "07:00", sendDays: [1], skipped: new Set(), since: new Date(0) },
  next: [{ date: "2026-11-25", at: new Date("2026-11-25T07:00:00Z"), notes: [] }],
  latest: null,
  sources: { total: 0, unhealthy: [] },
  questions: { asked: 0, open: 0, kept: 0, unsubscribed: 0, paused: 0, dropped: 0, pausedReaders: 0 },
  subscribers: { pending: 0, active: 0, unsubscribed: 0, suppressed: 0 },
  waiting: 0,
  transport: {
    open: 0,
    busy: 0,
    pausedUntil: null,
    reason: null,
    quota: null,
    rate: null,
    slowed: false,
    resumable: false,
  },
};
const relay = { host: "relay.example", port: 587, secure: false, user: null, password: null, requireTls: true };
const publicUrl = "https://alerts.example";
const outbox = { smtp: null, mailTransport: null };

const keysOf = (messages: readonly Message[]): MessageKey[] => messages.map(({ key }) => key);

test("a fresh installation has to connect sources, readers and a relay, in that order", () => {
  const { next } = nextSteps(fresh, { ...outbox, publicUrl: "http://localhost:3000", postalAddressMissing: false });
  expect(keysOf(next)).toEqual(["status.no_source", "status.no_reader", "status.no_relay"]);
});

test("one that has all of it has no next steps", () => {
  const whole = {
    ...fresh,
    sources: { total: 2, unhealthy: [] },
    subscribers: { ...fresh.subscribers, active: 4_812 },
    waiting: 1,
  };
  expect(nextSteps(whole, { ...outbox, smtp: relay, publicUrl, postalAddressMissing: false })).toEqual({
    done: [
      { key: "status.sources", values: { n: 2 } },
      { key: "status.readers", values: { active: 4_812, pending: 0 } },
      { key: "status.relay", values: { relay: "relay.example:587" } },
      { key: "status.next_edition", values: { date: "2026-11-25", time: "07:00", timezone: "UTC" } },
      { key: "status.waiting", values: { n: 1 } },
    ],
    next: [],
  });
});

test("a relay in trouble is the next step, not a connected one", () => {
  const { done, next } = nextSteps(
    { ...fresh, transport: { ...fresh.transport, reason: "421" } },
    { ...outbox, smtp: relay, publicUrl, postalAddressMissing: false },
  );
  expect(keysOf(done)).not.toContain("status.relay");
  expect(next).toContainEqual({ key: "status.relay_paused", values: { relay: "relay.example:587" } });
});

test("without a postal address it is the next step, because nothing is sent", () => {
  const { done, next } = nextSteps(fresh, { ...outbox, smtp: relay, publicUrl, postalAddressMissing: true });
  expect(keysOf(done)).not.toContain("status.relay");
  expect(keysOf(next)).toContain("status.no_postal_address");
});

test("the address of the outbox is named only where it is shown", () => {
  const doneFor = (url: string): MessageKey[] =>
    keysOf(nextSteps(fresh, { ...outbox, publicUrl: url, postalAddressMissing: false }).done);
  expect(doneFor("http://localhost:3000")).toContain("status.outbox_page");
  expect(doneFor(publicUrl)).toContain("status.outbox_folder");
});

test("a transport of a module sends, without a relay", () => {
  const module = "/etc/dayletter/ses.mjs";
  const { done, next } = nextSteps(fresh, {
    smtp: null,
    mailTransport: module,
    publicUrl,
    postalAddressMissing: false,
  });
  expect(done).toContainEqual({ key: "status.transport", values: { module } });
  expect(keysOf(next)).not.toContain("status.no_relay");
});
