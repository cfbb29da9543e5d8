import { balance, type Balance } from "./state.ts";
import { clockTime } from "../schedule/calendar.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import { englishWording, type ErrorCode, type MessageValues } from "../wording/catalogue.ts";

/** What is wrong with a template. `text` is what the compiler said, for an error without a code. */
export type TemplateProblem = { error: ErrorCode; params: Record<string, unknown> } | { text: string };

/** What the pre-send checks can find, with the values of each sentence. */
interface Findings {
  email_too_large: { kb: number; limit: number };
  /** `said` is null for an address that leads nowhere. */
  link_broken: { title: string; said: string | null };
  more_links_broken: { count: number };
  more_articles_than_usual: { articles: number; most: number };
  fewer_articles_than_usual: { articles: number; fewest: number };
  fewer_readers_than_usual: { selected: number; readers: number; fewest: number };
  source_silent: { source: string; days: number };
  template_failed: TemplateProblem;
  /** A sentence of an older release. */
  other: { text: string };
}
export type Finding = { [Code in keyof Findings]: { code: Code; data: Findings[Code] } }[keyof Findings];

/** Why an edition is in its state. Stored with it; instants are ISO 8601, as JSON holds them. */
interface Reasons {
  missed_service_down: { sendAt: string; timezone: string; hours: number };
  missed_schedule_changed: { sendAt: string; timezone: string };
  sent_late: { minutes: number };
  sent_late_after_template_failed: { minutes: number };
  no_articles: Record<string, never>;
  approved_by: { actor: string };
  sent_without_approval: { deadline: string; timezone: string };
  waiting_for_approval: { until: string; timezone: string; afterwards: "send" | "hold" };
  not_approved_in_time: { deadline: string; timezone: string };
  /** Without findings once an editor has fixed everything; the edition still waits for approval. */
  held_by_checks: { findings: Finding[] };
  relay_refuses_all: { reply: string };
  many_addresses_gone: { gone: number; answered: number };
  suppressions_removed: { actor: string; count: number };
  not_balanced: Balance;
  template_failed: TemplateProblem;
  /** An operator's own words, and sentences of older releases. */
  other: { text: string };
}
export type ReasonCode = keyof Reasons;
export type Reason = { [Code in ReasonCode]: { code: Code; data: Reasons[Code] } }[ReasonCode];

export const reasonCodes = [
  "missed_service_down",
  "missed_schedule_changed",
  "sent_late",
  "sent_late_after_template_failed",
  "no_articles",
  "approved_by",
  "sent_without_approval",
  "waiting_for_approval",
  "not_approved_in_time",
  "held_by_checks",
  "relay_refuses_all",
  "many_addresses_gone",
  "suppressions_removed",
  "not_balanced",
  "template_failed",
  "other",
] as const satisfies readonly ReasonCode[];

/** The columns of an edition that hold its reason. */
export interface ReasonColumns {
  reason_code: ReasonCode | null;
  reason_data: object | null;
}

/** For an update or insert of an edition. */
export function reasonColumns(reason: Reason | null): { reason_code: ReasonCode | null; reason_data: never } {
  return {
    reason_code: reason?.code ?? null,
    reason_data: (reason === null ? null : JSON.stringify(reason.data)) as never,
  };
}

/** The reason as it is stored with an edition. */
export function reasonOfEdition({ reason_code, reason_data }: ReasonColumns): Reason | null {
  return reason_code === null ? null : ({ code: reason_code, data: reason_data } as Reason);
}

export function templateProblem(error: unknown): TemplateProblem {
  return error instanceof Refusal && error.code !== null
    ? { error: error.code, params: error.details }
    : { text: reasonOf(error) };
}

/** The English sentence of a reason, or null for none. Operators, the API and the command line read English. */
export function reasonInWords(reason: Reason | null): string | null {
  return reason === null ? null : englishWording().say(`reason.${reason.code}`, reasonValues(reason));
}

/** The sentence of an edition's reason, as the API and the operators' pages show it. */
export function editionReason(edition: ReasonColumns): string | null {
  return reasonInWords(reasonOfEdition(edition));
}

export function findingInWords({ code, data }: Finding): string {
  const { say } = englishWording();
  if (code === "template_failed") return say("finding.template_failed", { problem: problemInWords(data) });
  if (code === "link_broken") return say("finding.link_broken", { title: data.title, said: data.said ?? "none" });
  if (code === "other") return data.text;
  return say(`finding.${code}`, { ...data });
}

function reasonValues(reason: Reason): MessageValues {
  switch (reason.code) {
    case "missed_service_down":
      return { ...reason.data, ...lateness(reason.data.hours) };
    case "sent_without_approval":
    case "not_approved_in_time":
      return { time: clockTime(new Date(reason.data.deadline), reason.data.timezone) };
    case "waiting_for_approval":
      return { time: clockTime(new Date(reason.data.until), reason.data.timezone), afterwards: reason.data.afterwards };
    case "held_by_checks": {
      const { findings } = reason.data;
      return { state: findings.length > 0 ? "found" : "fixed", findings: findings.map(findingInWords).join(" ") };
    }
    case "not_balanced":
      return { sum: balance(reason.data).sentence };
    case "template_failed":
      return { problem: problemInWords(reason.data) };
    default:
      return reason.data;
  }
}

function problemInWords(problem: TemplateProblem): string {
  if ("text" in problem) return problem.text;
  return englishWording().reason({ code: problem.error, details: problem.params, message: problem.error });
}

function lateness(hours: number): { unit: string; n: number } {
  if (hours < 1) return { unit: "less", n: hours };
  return hours < 48 ? { unit: "hours", n: hours } : { unit: "days", n: Math.floor(hours / 24) };
}
