import { sayReadError } from "./problems.ts";
import { percentInWords, serviceName } from "./outcomes.ts";
import { providerLabel } from "./providers.ts";
import type { ReadError } from "../sources/store.ts";
import { type Message, englishWording, type MessageValues, type Wording } from "./catalogue.ts";
import { reasonInWords } from "./editions.ts";
import type { Reason } from "../db/edition-reason.ts";
import type { AlertData, AlertKind } from "../alerts/conditions.ts";

/** What an alert's emails and webhook calls are made of. The kind `test` has no data. */
export interface AlertMessage {
  event: "raised" | "cleared";
  kind: AlertKind | "test";
  data: AlertData | Record<string, never>;
}

/** An alert as one or two sentences. */
export function alertInWords({ kind, data }: Omit<AlertMessage, "event">, wording: Wording = englishWording()): string {
  if ("text" in data) return data.text;
  return wording.say(`alert.${kind}.sentence`, valuesOf(data, wording));
}

/** The texts of an alert's email; the sentence is also that of the webhook call. */
export function alertTexts(message: AlertMessage, wording: Wording = englishWording()) {
  const { event, kind } = message;
  const { say } = wording;
  const sentence = alertInWords(message, wording);
  if (event === "raised") {
    return { headline: say(`alert.${kind}.raised`), sentence, advice: say(`alert.${kind}.advice`) };
  }
  const over = say(`alert.${kind}.over`);
  return { headline: say(`alert.${kind}.cleared`), sentence: say("alert.was", { over, sentence }), advice: null };
}

interface Facts extends Record<string, unknown> {
  reason?: Reason | null;
  past?: object;
}

function valuesOf(data: Exclude<AlertMessage["data"], { text: string }>, wording: Wording): MessageValues {
  const { reason = null, past = {}, ...facts } = data as Facts;
  const { selected = 0, rejected = 0, expired = 0 } = facts as Record<string, number>;
  const notSent = rejected + expired;
  return {
    ...named(past, "past_", wording),
    ...named(facts, "", wording),
    ...(typeof facts["provider"] === "string" ? { provider: providerLabel(facts["provider"]) } : {}),
    reason: reasonInWords(reason, wording) ?? "none",
    stopped: reason === null ? "no" : "yes",
    not_sent: notSent,
    ...(typeof facts["source"] === "string" ? { name: serviceName(facts["source"]) } : {}),
    ...shareOf(facts),
    share: selected === 0 ? 0 : Math.round((1_000 * notSent) / selected) / 10,
  };
}

function shareOf({ emails, complained, policy }: Record<string, unknown>): MessageValues {
  const count = complained ?? policy;
  return typeof emails === "number" && typeof count === "number"
    ? { rate: percentInWords(emails === 0 ? 0 : count / emails) }
    : {};
}

function named(values: object, prefix: string, wording: Wording): MessageValues {
  const said = (value: string | number | Message | ReadError | null): string | number => {
    if (value === null) return "none";
    if (typeof value !== "object") return value;
    return "key" in value ? wording.text(value) : sayReadError(value, wording);
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, said(value)]));
}
