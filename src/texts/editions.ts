import { formatDate, isoMinute } from "../base/dates.ts";
import type { Reason } from "../db/edition-reason.ts";
import { outcomeInWords, balanceInWords } from "./deliveries.ts";
import type { Explained, NoEditionCode, WhyCode } from "../deliveries/why.ts";
import type { NextSend } from "../schedule/calendar.ts";
import { type TemplateProblem, type Finding, reasonOfEdition, type ReasonColumns } from "../db/edition-reason.ts";
import type { LinkResult } from "../editions/links.ts";
import { diagnosticOf } from "../mail/diagnostic.ts";
import { englishWording, type MessageValues, type Wording } from "./catalogue.ts";

/** The sentence of a reason, or null for none. Operators' pages, the API and the command line read English. */
export function reasonInWords(reason: Reason | null, wording: Wording = englishWording()): string | null {
  return reason === null ? null : wording.say(`reason.${reason.code}`, reasonValues(reason, wording));
}

/** The sentence of an edition's reason, as the API and the operators' pages show it. */
export function editionReason(edition: ReasonColumns): string | null {
  return reasonInWords(reasonOfEdition(edition));
}

export function findingInWords({ code, data }: Finding, wording: Wording = englishWording()): string {
  const { say } = wording;
  if (code === "template_failed") return say("finding.template_failed", { problem: problemInWords(data, wording) });
  if (code === "link_broken")
    return say("finding.link_broken", { title: data.title, ...(data.result ?? { code: "none" }) });
  if (code === "other") return data.text;
  return say(`finding.${code}`, { ...data });
}

/** Behind an article's headline, such as `answers 404`. */
export function linkResultInWords(result: LinkResult, wording: Wording = englishWording()): string {
  return wording.say("link.result", { ...result });
}

function reasonValues(reason: Reason, wording: Wording): MessageValues {
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
      return {
        state: findings.length > 0 ? "found" : "fixed",
        findings: findings.map((one) => findingInWords(one, wording)).join(" "),
      };
    }
    case "not_balanced":
      return { sum: balanceInWords(reason.data) };
    case "template_failed":
      return { problem: problemInWords(reason.data, wording) };
    default:
      return reason.data;
  }
}

function problemInWords(problem: TemplateProblem, wording: Wording): string {
  if ("text" in problem) return problem.text;
  return wording.reason({ code: problem.error, details: problem.params });
}

function lateness(hours: number): { unit: string; n: number } {
  if (hours < 1) return { unit: "less", n: hours };
  return hours < 48 ? { unit: "hours", n: hours } : { unit: "days", n: Math.floor(hours / 24) };
}

/** The sentences of a send's notes; null without any. Operators, the API and the command line read English. */
export function notesInWords({ notes }: NextSend): string | null {
  if (notes.length === 0) return null;
  return notes.map((note) => englishWording().say(`send_note.${note.code}`, { ...note })).join(" ");
}

/** `08:00 (Europe/Berlin)`. */
export function clockTime(at: Date, timezone: string): string {
  return `${formatDate(at, "en", { timeStyle: "short", timeZone: timezone })} (${timezone})`;
}

/** The English sentence of an explanation, for operators to read out. */
export function whyInWords({ code, data }: Explained<WhyCode | NoEditionCode>, timezone: string): string {
  const { say } = englishWording();
  const { outcome = null, followed = [], reason = null, at = null, frozen = null } = data;
  const moment = (instant: Date | null): string => (instant === null ? "none" : isoMinute(instant, timezone));
  const tags = followed === "all" ? [] : followed;
  const detail = outcome === null ? null : outcomeInWords(outcome);
  const main = say(`why.${code}`, {
    edition: data.edition ?? "",
    at: moment(at),
    frozen: moment(frozen),
    attempts: data.attempts ?? 0,
    detail: detail ?? "none",
    reason: reasonInWords(reason) ?? "none",
    state: data.editionState ?? "none",
    confirmed: data.confirmed ?? "none",
    suppressed: data.suppressedFor ?? "none",
    cause: data.cause ?? "none",
    follows: followed === "all" ? "all" : "tags",
    tags: tags.map(({ name, hidden }) => (hidden ? say("why.hidden_tag", { tag: name }) : name)).join(", "),
    matching: data.matching ?? 0,
    articles: data.articles ?? 0,
  });
  const later = (data.outcomes ?? []).map((one) =>
    say(`why.${one.outcome}`, {
      kind: one.kind ?? "none",
      at: moment(one.at),
      detail: diagnosticOf(one) ?? "none",
    }),
  );
  return later.length === 0 ? main : [/[.!?]$/.test(main) ? main : `${main}.`, ...later].join(" ");
}
