import { balanceInWords } from "../../texts/deliveries.ts";
import { outcomesInWords } from "../../texts/outcomes.ts";
import type { NextSend } from "../../schedule/calendar.ts";
import { notesInWords, editionReason } from "../../texts/editions.ts";
import { sayReason } from "../../texts/catalogue.ts";
import type { StoredReason } from "../../base/errors.ts";
import { sayReadError } from "../../texts/problems.ts";
import { optionsOf, type Source, unhealthyAfter } from "../../sources/store.ts";
import { type EffectiveSchedule, revisionOf } from "../../schedule/store.ts";
import { z } from "zod";
import { problemSchema } from "../failures.ts";
import { editionRates } from "../../outcomes/rates.ts";
import type { OutcomeCounts } from "../../outcomes/store.ts";
import type { EditionStatus } from "../../alerts/status.ts";
import type { Edition } from "../../editions/store.ts";
import { editionName } from "../../base/edition-name.ts";
import { reasonCodes } from "../../db/edition-reason.ts";
import { allowedActions, editionActions, editionStates } from "../../editions/state.ts";
import { recipientsOf } from "../../deliveries/warm-up.ts";
import { withoutUser } from "../../sources/address.ts";
import { writeSendDays } from "../../base/schedule-values.ts";

const problem = {
  description: "What is wrong, and what to do",
  content: { "application/problem+json": { schema: problemSchema } },
};

/** Responses that every route can have. */
export const problems = { "4xx": problem, "5xx": problem };

export const id = z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

/** A boolean in the query: `?strict` or `?strict=1`. */
export const flag = z
  .enum(["", "1", "true", "0", "false"])
  .default("0")
  .transform((text) => text !== "0" && text !== "false");

export const after = z.coerce
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .default(0)
  .describe("Last ID of the previous page");

export function limit(fallback: number, most = 1_000) {
  return z.coerce.number().int().min(1).max(most).default(fallback);
}

/** A repeatable parameter: `?tag=a&tag=b`. */
export const several = z.union([z.array(z.string()), z.string().transform((one) => [one])]).default([]);

const instant = z.date();

export const sourceSchema = z
  .object({
    id: z.int(),
    kind: z.enum(["feed", "api"]),
    url: z.string().nullable(),
    title: z.string().nullable(),
    tags: z.array(z.string()).describe("Added to all articles of the source"),
    rename: z.record(z.string(), z.string()).describe("Tags of the feed and their new names"),
    timezone: z.string().nullable().describe("For dates without a zone; null for the publication's time zone"),
    splitTags: z.boolean().describe("Whether categories are split at commas"),
    healthy: z.boolean(),
    failures: z.int().describe("Number of consecutive failures"),
    lastErrorCode: z.string().nullable(),
    lastError: z.string().nullable(),
    problem: z.string().nullable().describe("What was ignored in the last document"),
    checkedAt: instant.nullable(),
    succeededAt: instant.nullable(),
    nextCheckAt: instant.nullable(),
    createdAt: instant,
  })
  .meta({ id: "Source" });

/** The code of a stored reason; null for a text without one. */
export function codeOf(reason: StoredReason): string | null {
  return "code" in reason ? reason.code : null;
}

export function showSource(source: Source): z.input<typeof sourceSchema> {
  return {
    id: source.id,
    kind: source.kind,
    url: source.url === null ? null : withoutUser(source.url),
    title: source.title,
    tags: source.extra_tags,
    rename: source.renamed_tags,
    ...optionsOf(source),
    healthy: source.failures < unhealthyAfter,
    failures: source.failures,
    lastErrorCode: source.read_error && codeOf(source.read_error),
    lastError: source.read_error && sayReadError(source.read_error),
    problem: source.problems.length === 0 ? null : source.problems.map((one) => sayReason(one)).join(" "),
    checkedAt: source.checked_at,
    succeededAt: source.succeeded_at,
    nextCheckAt: source.kind === "feed" ? source.next_check_at : null,
    createdAt: source.created_at,
  };
}

/** What the warm-up of a new sender does to an edition. */
export const editionWarmUpSchema = z
  .object({
    day: z.int().describe("1 for the first day"),
    cap: z.int().describe("Maximum number of readers at each mailbox provider on the edition's date"),
    leftOut: z.int().describe("Selected readers who are skipped because of this limit"),
  })
  .meta({ id: "EditionWarmUp" });

export const editionSchema = z
  .object({
    name: z.string().describe("The date, with `.2`, `.3` and so on for extra editions"),
    date: z.iso.date(),
    number: z.int(),
    state: z.enum(editionStates),
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
    selected: z.int().describe("Readers who follow one of its tags, including those that the warm-up skips"),
    warmUp: editionWarmUpSchema.nullable().describe("null if the date has no limit"),
    introduction: z.string().nullable(),
    subject: z
      .string()
      .nullable()
      .describe("Subject of all emails; null for the headline of each reader's first article"),
    approveBy: instant.nullable().describe("Approval deadline of a held edition; null if there is none"),
    approvedBy: z.string().nullable().describe("Who approved the edition"),
    deliveriesRemoved: z
      .boolean()
      .describe(
        "Whether its deliveries were removed because of their age (`KEEP_DELIVERIES_DAYS`); the counts are kept",
      ),
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
const balanceSchema = z
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

const rate = z.number().nullable();
const outcomesSchema = z
  .object({
    hard: count.describe("Bounces that say that the address does not exist"),
    soft: count.describe("Bounces because the mailbox could not take the email"),
    policy: count.describe("Bounces because the sender or the content was refused"),
    complained: count,
    bounceRate: rate.describe("Share of the emails that the relay accepted, 0 to 1; null if nothing was reported"),
    complaintRate: rate.describe("The same for complaints; null if none was reported"),
    notSuppressed: count.describe("Addresses that were not suppressed, because there were too many reports"),
  })
  .meta({ id: "Outcomes" });

export const listedEditionSchema = editionSchema
  .extend({
    outcomes: outcomesSchema.describe(
      "What became of emails after the relay had accepted them. The rates are shares of the readers who get an email",
    ),
  })
  .meta({ id: "ListedEdition" });

export const editionStatusSchema = editionSchema
  .extend({
    balance: balanceSchema,
    sentence: z.string().describe("The balance as a sentence"),
    suppressed: z
      .int()
      .describe("Addresses suppressed because of this edition; `unsuppress` removes these suppressions"),
    outcomes: outcomesSchema.describe("What became of emails after the relay had accepted them"),
    outcomesSentence: z.string().nullable().describe("The same as a sentence; null without a report"),
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
    warmUp: edition.warm_up,
    introduction: edition.introduction,
    subject: edition.subject,
    approveBy: edition.approve_by,
    approvedBy: edition.approved_by,
    deliveriesRemoved: edition.final_counts !== null,
    allowed: allowedActions(edition.state, edition.final_counts === null),
  };
}

export function showEditionStatus(edition: EditionStatus): z.input<typeof editionStatusSchema> {
  return {
    ...showEdition(edition),
    balance: edition.balance,
    sentence: balanceInWords(edition.balance),
    suppressed: edition.suppressed,
    outcomes: showOutcomes(edition.outcomes, edition.balance.sent),
    outcomesSentence: outcomesInWords(
      edition.outcomes,
      editionRates(edition.outcomes, edition.balance.sent),
      edition.balance.sent,
    ),
  };
}

export function showListedEdition(edition: Edition, outcomes: OutcomeCounts): z.input<typeof listedEditionSchema> {
  const emails = recipientsOf(edition.selected, edition.warm_up);
  return { ...showEdition(edition), outcomes: showOutcomes(outcomes, emails) };
}

/** @param emails how many the relay accepted */
function showOutcomes(counts: OutcomeCounts, emails: number): z.input<typeof outcomesSchema> {
  const { bounceRate, complaintRate } = editionRates(counts, emails);
  return { ...counts, bounceRate, complaintRate, notSuppressed: counts.spared };
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
    next: z.array(nextSendSchema).describe("The next five sends"),
    revision: z.string().describe("Changes when the time, days, time zone or moved dates change"),
  })
  .meta({ id: "Schedule" });

const byDate = (a: { date: string }, b: { date: string }): number => (a.date < b.date ? -1 : 1);

export function showSend(send: NextSend): z.input<typeof nextSendSchema> {
  return { date: send.date, at: send.at, note: notesInWords(send) };
}

export function showSchedule(schedule: EffectiveSchedule, next: NextSend[]): z.input<typeof scheduleSchema> {
  return {
    timezone: schedule.timezone,
    sendAt: schedule.sendAt,
    sendDays: writeSendDays(schedule.sendDays),
    skipped: [...schedule.skipped].toSorted(),
    moved: [...(schedule.moved ?? [])].map(([date, sendAt]) => ({ date, sendAt })).toSorted(byDate),
    next: next.map(showSend),
    revision: revisionOf(schedule),
  };
}
