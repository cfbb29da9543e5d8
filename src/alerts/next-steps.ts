import type { Config } from "../config/load.ts";
import { leadsToLoopback } from "../config/parse-values.ts";
import { timeOf } from "../schedule/calendar.ts";
import type { Message, MessageKey, MessageValues } from "../texts/catalogue.ts";
import type { Status } from "./status.ts";

export interface Steps {
  /** What is set up, one sentence each. */
  done: Message[];
  /** What to do next, one sentence each, in order. Empty when nothing is missing. */
  next: Message[];
}

type MailConfig = Pick<Config, "smtp" | "mailTransport" | "publicUrl" | "postalAddressMissing">;

/** The setup status, as the front page and the terminal show it at start. */
export function nextSteps(status: Status, config: MailConfig): Steps {
  const steps: Steps = { done: [], next: [] };
  addSources(status, steps);
  addReaders(status, steps);
  addMail(status, config, steps);
  addEdition(status, steps);
  return steps;
}

function addSources({ sources }: Status, { done, next }: Steps): void {
  if (sources.total === 0) {
    next.push(message("status.no_source"));
    return;
  }
  done.push(message("status.sources", { n: sources.total }));
  for (const { id, title } of sources.unhealthy) {
    next.push(message("status.source_failing", { named: title === null ? "no" : "yes", title: title ?? "", id }));
  }
}

function addReaders({ subscribers: { active, pending } }: Status, { done, next }: Steps): void {
  if (active > 0) done.push(message("status.readers", { active, pending }));
  else next.push(message("status.no_reader", { pending }));
}

function addMail({ transport }: Status, config: MailConfig, steps: Steps): void {
  const { smtp, mailTransport: module, publicUrl, postalAddressMissing } = config;
  const relay = smtp === null ? module : `${smtp.host}:${smtp.port}`;
  if (relay === null) {
    steps.done.push(message(leadsToLoopback(publicUrl) ? "status.outbox_page" : "status.outbox_folder"));
    steps.next.push(message("status.no_relay"));
  } else if (postalAddressMissing) steps.next.push(message("status.no_postal_address"));
  else if (transport.reason !== null) steps.next.push(message("status.relay_paused", { relay }));
  else steps.done.push(module === null ? message("status.relay", { relay }) : message("status.transport", { module }));
}

function addEdition({ next: sends, schedule, latest, waiting }: Status, { done, next }: Steps): void {
  const [first] = sends;
  if (first) {
    const { timezone } = schedule;
    done.push(message("status.next_edition", { date: first.date, time: timeOf(first.date, schedule), timezone }));
  } else next.push(message("status.no_dates"));
  if (waiting > 0) done.push(message("status.waiting", { n: waiting }));
  if (latest === null) return;
  const edition = latest.date;
  if (latest.state === "held") next.push(message("status.edition_held", { edition }));
  if (latest.state === "paused") next.push(message("status.edition_paused", { edition }));
  const { unknown } = latest.balance;
  if (unknown > 0) next.push(message("status.outcomes_unknown", { n: unknown, edition }));
}

function message(key: MessageKey, values: MessageValues = {}): Message {
  return { key, values };
}
