import { z } from "zod";
import type { NextSend } from "../../schedule/calendar.ts";
import type { EditionStatus } from "../../operations/status.ts";
import type { Edition } from "../../editions/store.ts";
import { editionName } from "../../base/edition-name.ts";
import { editionReason, reasonCodes } from "../../editions/reason.ts";
import { allowedActions, editionActions } from "../../editions/state.ts";
import { withoutUser } from "../../sources/address.ts";
import { unhealthyAfter, type Source } from "../../sources/store.ts";
import { revisionOf } from "../../schedule/revision.ts";
import { writeSendDays } from "../../base/schedule-values.ts";
import type { EffectiveSchedule } from "../../schedule/store.ts";

const instant = z.date();

export const sourceSchema = z
  .object({
    id: z.int(),
    kind: z.enum(["feed", "api"]),
    url: z.string().nullable(),
    title: z.string().nullable(),
    tags: z.array(z.string()).describe("Added to all articles of the source"),
    rename: z.record(z.string(), z.string()).describe("Tags of the feed and their new names"),
    healthy: z.boolean(),
    failures: z.int().describe("Number of consecutive failures"),
    lastError: z.string().nullable(),
    problem: z.string().nullable().describe("What was ignored in the last document"),
    checkedAt: instant.nullable(),
    succeededAt: instant.nullable(),
    nextCheckAt: instant.nullable(),
    createdAt: instant,
  })
  .meta({ id: "Source" });

export function showSource(source: Source): z.input<typeof sourceSchema> {
  return {
    id: source.id,
    kind: source.kind,
    url: source.url === null ? null : withoutUser(source.url),
    title: source.title,
    tags: source.extra_tags,
    rename: source.renamed_tags,
    healthy: source.failures < unhealthyAfter,
    failures: source.failures,
    lastError: source.last_error,
    problem: source.problem,
    checkedAt: source.checked_at,
    succeededAt: source.succeeded_at,
    nextCheckAt: source.kind === "feed" ? source.next_check_at : null,
    createdAt: source.created_at,
  };
}

export const editionSchema = z
  .object({
    name: z.string().describe("The date, with `.2`, `.3` and so on for extra editions"),
    date: z.iso.date(),
    number: z.int(),
    state: z.enum(["opening", "held", "sending", "paused", "finished", "cancelled", "missed", "empty"]),
    reason: z.string().nullable().describe("Why it is in its state"),
    reasonCode: z.enum(reasonCodes).nullable(),
    reasonData: z.record(z.string(), z.unknown()).nullable().describe("The values in the reason"),
    timezone: z.string(),
    dueAt: instant,
    openedAt: instant,
    frozenAt: instant.nullable(),
    sendingAt: instant.nullable(),
    closedAt: instant.nullable(),
    expiresAt: instant.nullable(),
    articleCount: z.int(),
    readers: z.int().describe("Active subscribers when the edition was frozen"),
    unmatched: z.int().describe("Readers who follow none of its tags"),
    selected: z.int().describe("Readers who get it"),
    introduction: z.string().nullable(),
    subject: z
      .string()
      .nullable()
      .describe("Subject of all emails; null for the headline of each reader's first article"),
    approveBy: instant.nullable().describe("If the edition is held: when approval is no longer needed"),
    approvedBy: z.string().nullable().describe("Who approved the edition"),
    allowed: z.array(z.enum(editionActions)).describe("Actions that are possible now"),
  })
  .meta({ id: "Edition" });

/** An article with the text of an edition. */
export const editionArticleSchema = z.object({
  id: z.int(),
  title: z.string(),
  url: z.string(),
  summary: z.string(),
  tags: z.array(z.string()),
  origin: z.object({ name: z.string(), url: z.string().nullable() }).nullable(),
  publishedAt: z.string().nullable(),
});

const count = z.int();
export const balanceSchema = z
  .object({
    selected: count,
    sent: count,
    rejected: count,
    expired: count,
    skipped: count,
    unknown: count,
    pending: count,
    sending: count,
    deferred: count,
  })
  .meta({ id: "Balance" });

export const editionStatusSchema = editionSchema
  .extend({
    balance: balanceSchema,
    sentence: z.string().describe("The balance as a sentence"),
    suppressed: z
      .int()
      .describe("Addresses suppressed because of this edition; `unsuppress` removes these suppressions"),
  })
  .meta({ id: "EditionStatus" });

export function showEdition(edition: Edition): z.input<typeof editionSchema> {
  return {
    name: editionName(edition),
    date: edition.date,
    number: edition.number,
    state: edition.state,
    reason: editionReason(edition),
    reasonCode: edition.reason_code,
    reasonData: edition.reason_data as Record<string, unknown> | null,
    timezone: edition.timezone,
    dueAt: edition.due_at,
    openedAt: edition.opened_at,
    frozenAt: edition.frozen_at,
    sendingAt: edition.sending_at,
    closedAt: edition.closed_at,
    expiresAt: edition.expires_at,
    articleCount: edition.articles,
    readers: edition.readers,
    unmatched: edition.unmatched,
    selected: edition.selected,
    introduction: edition.introduction,
    subject: edition.subject,
    approveBy: edition.approve_by,
    approvedBy: edition.approved_by,
    allowed: allowedActions(edition.state),
  };
}

export function showEditionStatus(edition: EditionStatus): z.input<typeof editionStatusSchema> {
  return {
    ...showEdition(edition),
    balance: edition.balance,
    sentence: edition.sentence,
    suppressed: edition.suppressed,
  };
}

export const nextSendSchema = z.object({ date: z.iso.date(), at: instant, note: z.string().nullable() });

export const scheduleSchema = z
  .object({
    timezone: z.string(),
    sendAt: z.string(),
    sendDays: z.string().describe("For example `mon,tue,wed`"),
    skipped: z.array(z.iso.date()),
    moved: z
      .array(z.object({ date: z.iso.date(), sendAt: z.string() }))
      .describe("Dates with a different delivery time"),
    next: z.array(nextSendSchema).describe("The next five deliveries"),
    revision: z.string().describe("Changes when the time, days, time zone or moved dates change"),
  })
  .meta({ id: "Schedule" });

const byDate = (a: { date: string }, b: { date: string }): number => (a.date < b.date ? -1 : 1);

export function showSchedule(schedule: EffectiveSchedule, next: NextSend[]): z.input<typeof scheduleSchema> {
  return {
    timezone: schedule.timezone,
    sendAt: schedule.sendAt,
    sendDays: writeSendDays(schedule.sendDays),
    skipped: [...schedule.skipped].toSorted(),
    moved: [...(schedule.moved ?? [])].map(([date, sendAt]) => ({ date, sendAt })).toSorted(byDate),
    next,
    revision: revisionOf(schedule),
  };
}
