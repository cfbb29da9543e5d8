import { describe, expect, test } from "vitest";
import { endOf, monthsBefore, mostPerDay, whyAsk } from "../../../src/outcomes/question-rule.ts";
import type { Fate } from "../../../src/outcomes/soft-row.ts";
import type { QuestionCause, QuestionOutcome } from "../../../src/db/values.ts";

const dayMs = 24 * 3_600_000;
const now = new Date("2026-11-24T10:00:00Z");
const ago = (days: number): Date => new Date(now.getTime() - days * dayMs);
const months = (n: number): Date => monthsBefore(now, n);

const emails = (bounced: Fate["bounced"], count = 20): Fate[] =>
  Array.from({ length: count }, (_, i) => ({ at: ago(6 + i), bounced, disabled: false }));
const arrived = emails(null);
const soft = emails("soft");
const oneHard: Fate[] = [{ at: ago(6), bounced: "hard", disabled: false }, ...soft.slice(1)];

type Reader = Parameters<typeof whyAsk>[0];
const reader: Reader = { pausedUntil: null, pausedSince: null, actedAt: months(13), lastQuestion: null };
const asked = (at: Date, outcome: QuestionOutcome | null, sentAt: Date | null = at): Partial<Reader> => ({
  lastQuestion: { askedAt: at, sentAt, outcome },
});

describe("who is asked, after 12 months", () => {
  test.each<[string, Partial<Reader>, Fate[], QuestionCause | null]>([
    ["nothing for 13 months", {}, arrived, "silence"],
    ["nothing for exactly 12 months", { actedAt: months(12) }, arrived, "silence"],
    ["something 11 months ago", { actedAt: months(11) }, arrived, null],
    ["no emails lately", {}, [], "silence"],
    ["most emails bounce", { actedAt: ago(40) }, soft, "bounces"],
    ["both", {}, soft, "bounces"],
    ["the address is reported as not existing", {}, oneHard, null],
    ["a break", { pausedUntil: ago(-1) }, soft, null],
    ["a break that is over", { pausedUntil: ago(1) }, soft, "bounces"],
    ["paused already", { pausedSince: ago(100) }, soft, null],
    ["asked and not answered yet", asked(ago(10), null), soft, null],
    ["asked and not sent yet", asked(ago(1), null, null), soft, null],
    ["asked because of bounces five months ago", { actedAt: months(1), ...asked(months(5), "kept") }, soft, null],
    ["asked because of bounces six months ago", { actedAt: months(1), ...asked(months(6), "kept") }, soft, "bounces"],
    ["an operator ended the pause eleven months after the question", asked(months(11), "paused"), arrived, null],
    ["an operator ended the pause twelve months after the question", asked(months(12), "paused"), arrived, "silence"],
    ["an email that was not sent 29 days ago", asked(ago(29), "dropped", null), arrived, null],
    ["an email that was not sent 30 days ago", asked(ago(30), "dropped", null), arrived, "silence"],
  ])("%s", (_what, part, handed, cause) => {
    expect(whyAsk({ ...reader, ...part }, handed, { months: 12 }, now)).toBe(cause);
  });

  test("nobody is asked because of silence while the setting is off, and bouncing readers are", () => {
    expect(whyAsk({ ...reader, actedAt: months(100) }, arrived, { months: 0 }, now)).toBeNull();
    expect(whyAsk(reader, soft, { months: 0 }, now)).toBe("bounces");
  });
});

describe("what becomes of a question", () => {
  type Open = Parameters<typeof endOf>[0];
  const open: Open = { status: "active", cause: "silence", sentAt: ago(30), notice: null };
  test.each<[string, Partial<Open>, Fate[], number, QuestionOutcome | null]>([
    ["no answer for 30 days", {}, arrived, 12, "paused"],
    ["sent a moment later", { sentAt: new Date(ago(30).getTime() + 1) }, arrived, 12, null],
    ["the email waits", { sentAt: null, notice: "pending" }, arrived, 12, null],
    ["the relay deferred the email", { sentAt: null, notice: "deferred" }, arrived, 12, null],
    ["the relay rejected the email", { sentAt: null, notice: "rejected" }, arrived, 12, "dropped"],
    ["nobody knows whether the email arrived", { sentAt: null, notice: "unknown" }, arrived, 12, "dropped"],
    ["the email is no longer known", { sentAt: null }, arrived, 12, "dropped"],
    ["the reader has left", { status: "unsubscribed", sentAt: ago(1) }, arrived, 12, "unsubscribed"],
    ["the reader is suppressed", { status: "suppressed", sentAt: ago(1) }, arrived, 12, "dropped"],
    ["the setting was turned off", { sentAt: ago(1) }, arrived, 0, "dropped"],
    ["emails still bounce", { cause: "bounces" }, soft, 0, "paused"],
    ["emails arrive again", { cause: "bounces" }, arrived, 0, "dropped"],
    ["no emails lately", { cause: "bounces" }, [], 0, "dropped"],
  ])("%s", (_what, part, handed, n, outcome) => {
    expect(endOf({ ...open, ...part }, handed, { months: n }, now)).toBe(outcome);
  });
});

test.each([
  [0, 1_000],
  [30_000, 1_000],
  [30_001, 1_001],
  [1_000_000, 33_334],
])("of %i readers, at most %i are asked a day", (readers, most) => {
  expect(mostPerDay(readers)).toBe(most);
});
