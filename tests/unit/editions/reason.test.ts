import { describe, expect, test } from "vitest";
import { Refusal } from "../../../src/base/errors.ts";
import { findingInWords, reasonInWords } from "../../../src/texts/editions.ts";
import type { Reason } from "../../../src/db/edition-reason.ts";
import { templateProblem } from "../../../src/editions/pre-send-facts.ts";
import { textOf } from "../../support/text.ts";

test("no reason has no words", () => {
  expect(reasonInWords(null)).toBeNull();
});

describe("the words of a reason", () => {
  const at = { sendAt: "07:00", timezone: "Europe/Berlin" };
  const deadline = "2026-11-24T06:45:00.000Z";
  const delivered = { selected: 3, sent: 1, rejected: 0, expired: 0, skipped: 0, unknown: 0 };
  const silent = { code: "source_silent", data: { source: "Wire", days: 5 } } as const;
  test.each<[Reason, string]>([
    [{ code: "missed_service_down", data: { ...at, hours: 0 } }, "less than an hour later"],
    [{ code: "missed_service_down", data: { ...at, hours: 1 } }, "1 hour later"],
    [{ code: "missed_service_down", data: { ...at, hours: 47 } }, "47 hours later"],
    [{ code: "missed_service_down", data: { ...at, hours: 59 } }, "2 days later"],
    [{ code: "missed_schedule_changed", data: at }, "07:00 (Europe/Berlin)"],
    [{ code: "sent_without_approval", data: { deadline, timezone: "Europe/Berlin" } }, "07:45 (Europe/Berlin)"],
    [{ code: "waiting_for_approval", data: { until: deadline, timezone: "UTC", afterwards: "send" } }, "automatically"],
    [{ code: "waiting_for_approval", data: { until: deadline, timezone: "UTC", afterwards: "hold" } }, "06:45 (UTC)"],
    [{ code: "held_by_checks", data: { findings: [silent] } }, findingInWords(silent)],
    [
      { code: "held_by_checks", data: { findings: [] } },
      textOf("reason.held_by_checks", { state: "fixed", findings: "" }),
    ],
    [{ code: "many_addresses_gone", data: { gone: 1_020, answered: 2_000 } }, "1,020 of the first 2,000"],
    [{ code: "not_balanced", data: { ...delivered, pending: 0, sending: 0, deferred: 0 } }, "(2 too few)"],
    [{ code: "template_failed", data: templateProblem(new Error("no tag")) }, "no tag"],
    [
      { code: "template_failed", data: templateProblem(new Refusal(422, "too_many_tags", { most: 7 })) },
      textOf("error.too_many_tags", { most: 7 }),
    ],
    [{ code: "other", data: { text: "A wrong headline" } }, "A wrong headline"],
  ])("%j", (reason, part) => {
    expect(reasonInWords(reason)).toContain(part);
  });

  test("a link that leads nowhere has no more to say", () => {
    const data = { title: "A", result: null };
    expect(findingInWords({ code: "link_broken", data })).toBe(
      textOf("finding.link_broken", { title: "A", code: "none" }),
    );
  });
});
