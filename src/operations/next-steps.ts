import type { Config } from "../config/load.ts";
import { leadsToLoopback } from "../config/readers.ts";
import { timeOf } from "../schedule/calendar.ts";
import type { Status } from "./status.ts";

export interface Steps {
  /** What is set up, one sentence each. */
  done: string[];
  /** What to do next, one sentence each, in order. Empty when nothing is missing. */
  next: string[];
}

/** The setup status, as the front page and the terminal show it at start. */
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
    next.push(
      "Connect your first source. Run `dayletter sources add https://your-site.example/feed.xml` or set SOURCES.",
    );
    return;
  }
  done.push(`${count(sources.total, "source")} connected.`);
  for (const source of sources.unhealthy) {
    const name = source.title ?? `Source ${source.id}`;
    next.push(
      `${name} cannot be read. Run \`dayletter sources list\` to see why, then \`dayletter sources check ${source.id}\` to try again.`,
    );
  }
}

function tellReaders({ subscribers }: Status, { done, next }: Steps): void {
  const { active, pending } = subscribers;
  const waiting = pending === 0 ? "" : `, ${pending} pending`;
  if (active > 0) done.push(`${count(active, "active reader")}${waiting}.`);
  else {
    next.push(
      "Add your first reader. Run `dayletter subscribers add you@example.com --all-tags --confirmed`, or import a list " +
        `with \`dayletter subscribers import FILE\`.${pending === 0 ? "" : ` Readers yet to confirm: ${pending}.`}`,
    );
  }
}

function tellMail({ transport }: Status, { smtp, publicUrl }: Pick<Config, "smtp" | "publicUrl">, steps: Steps): void {
  if (smtp === null) {
    steps.done.push(
      leadsToLoopback(publicUrl)
        ? "Emails are saved in the outbox. Read them at /outbox."
        : "Emails are saved in the outbox, the folder `outbox` in DATA_DIR.",
    );
    steps.next.push("Set SMTP_URL to your mail relay to send email.");
  } else if (transport.reason === null) steps.done.push(`Email is sent through the relay ${smtp.host}:${smtp.port}.`);
  else
    steps.next.push(
      `The relay ${smtp.host}:${smtp.port} is not accepting email. Run \`dayletter doctor\` to find out why.`,
    );
}

function tellEdition({ next: sends, schedule, latest, waiting }: Status, { done, next }: Steps): void {
  const [first] = sends;
  if (first) done.push(`Next edition: ${first.date}, ${timeOf(first.date, schedule)} (${schedule.timezone}).`);
  else next.push("No send date is scheduled. Run `dayletter schedule show` to see the schedule.");
  if (waiting > 0) done.push(`${count(waiting, "article")} waiting.`);
  if (latest === null) return;
  if (latest.state === "held") next.push(`Edition ${latest.date} is held. Review and approve it.`);
  if (latest.state === "paused")
    next.push(`Edition ${latest.date} is paused. Run \`dayletter edition show\` to see why.`);
  const { unknown } = latest.balance;
  if (unknown > 0) {
    next.push(
      `The relay did not confirm ${count(unknown, "delivery", "deliveries")} of ${latest.date}. Run \`dayletter edition show\` for details.`,
    );
  }
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}
