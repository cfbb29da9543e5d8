import type { Config } from "../config/load.ts";
import { leadsToLoopback } from "../config/readers.ts";
import { timeOf } from "../schedule/calendar.ts";
import type { Status } from "./status.ts";

export interface Steps {
  /** What is connected and decided, a sentence each. */
  done: string[];
  /** What the operator would do next, a sentence each, in that order; empty when all is well. */
  next: string[];
}

/** What is there, what is missing and what to do about it: the words of the front page and of the terminal at start. */
export function nextSteps(status: Status, config: Pick<Config, "smtp" | "publicUrl">): Steps {
  const steps: Steps = { done: [], next: [] };
  tellSources(status, steps);
  tellReaders(status, steps);
  tellMail(status, config, steps);
  tellEdition(status, steps);
  return steps;
}

function tellSources({ sources }: Status, { done, next }: Steps): void {
  if (sources.total === 0) {
    next.push("Connect a first source: `dayletter sources add https://your-site.example/feed.xml`, or set SOURCES.");
    return;
  }
  done.push(`${count(sources.total, "source")} connected.`);
  for (const source of sources.unhealthy) {
    const name = source.title ?? `Source ${source.id}`;
    next.push(
      `${name} cannot be read: see \`dayletter sources list\`, then try \`dayletter sources check ${source.id}\`.`,
    );
  }
}

function tellReaders({ subscribers }: Status, { done, next }: Steps): void {
  const { active, pending } = subscribers;
  const waiting = pending === 0 ? "" : `, ${pending} more yet to confirm`;
  if (active > 0) done.push(`${count(active, "active reader")}${waiting}.`);
  else {
    next.push(
      "Add a first reader: `dayletter subscribers add you@example.com --all-tags --confirmed`, or a list with " +
        `\`dayletter subscribers import FILE\`${pending === 0 ? "" : ` (${pending} yet to confirm)`}.`,
    );
  }
}

function tellMail({ transport }: Status, { smtp, publicUrl }: Pick<Config, "smtp" | "publicUrl">, steps: Steps): void {
  if (smtp === null) {
    steps.done.push(
      leadsToLoopback(publicUrl)
        ? "Mails are kept in the outbox and shown at /outbox."
        : "Mails are kept in the outbox, the folder `outbox` in DATA_DIR.",
    );
    steps.next.push("Set SMTP_URL to your mail relay to send them.");
  } else if (transport.reason === null) steps.done.push(`Mail goes through the relay ${smtp.host}:${smtp.port}.`);
  else
    steps.next.push(`The relay ${smtp.host}:${smtp.port} is in trouble: see what \`dayletter doctor\` says about it.`);
}

function tellEdition({ next: sends, schedule, latest, waiting }: Status, { done, next }: Steps): void {
  const [first] = sends;
  if (first)
    done.push(`The next edition is that of ${first.date}, ${timeOf(first.date, schedule)} (${schedule.timezone}).`);
  else next.push("No date is left to send on: see `dayletter schedule show`.");
  if (waiting > 0) done.push(`${count(waiting, "article")} waiting for it.`);
  if (latest === null) return;
  if (latest.state === "held") next.push(`The edition of ${latest.date} is held: look at it and approve it.`);
  if (latest.state === "paused") next.push(`The edition of ${latest.date} is paused: see \`dayletter edition show\`.`);
  const { unknown } = latest.balance;
  if (unknown > 0) {
    next.push(`${count(unknown, "delivery", "deliveries")} of ${latest.date} unknown: see \`dayletter edition show\`.`);
  }
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}
