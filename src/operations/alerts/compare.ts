import { patienceMs, relaySubject, type AlertKind, type Trouble } from "./conditions.ts";

/** An alert that has not cleared. */
export interface OpenAlert {
  id: number;
  kind: AlertKind;
  subject: string;
  sentence: string;
  seenAt: Date;
  /** null while it has not lasted long enough. */
  toldAt: Date | null;
}

export interface Changes {
  /** New: to be written down. */
  seen: Trouble[];
  /** Open for long enough by now: to be told. */
  told: OpenAlert[];
  /** Told, and over: to be told so. */
  cleared: OpenAlert[];
  /** Over before anybody was told, or so old that its end is no news: closed without a word. */
  dropped: OpenAlert[];
  /** Still there, in other words now. */
  reworded: { id: number; sentence: string }[];
}

/** Nobody who let an edition's unknown deliveries be wants to hear of them again next week. */
const staleMs = 7 * 24 * 3_600_000;

/**
 * What to do about the troubles of now, given the alerts that are open: each is told once, and once more when it clears.
 * @param host whose relay was looked at: that of another machine is for that one to tell
 */
export function compareAlerts(
  open: readonly OpenAlert[],
  troubles: readonly Trouble[],
  now: Date,
  host: string,
): Changes {
  const changes: Changes = { seen: [], told: [], cleared: [], dropped: [], reworded: [] };
  const present = new Map(troubles.map((trouble) => [keyOf(trouble), trouble]));
  const known = new Set(open.map(keyOf));
  changes.seen = [...present.values()].filter((trouble) => !known.has(keyOf(trouble)));
  for (const alert of open) {
    const trouble = present.get(keyOf(alert));
    const age = now.getTime() - alert.seenAt.getTime();
    if (trouble) {
      if (trouble.sentence !== alert.sentence) changes.reworded.push({ id: alert.id, sentence: trouble.sentence });
      if (alert.toldAt === null && age >= patienceMs[alert.kind]) changes.told.push({ ...alert, ...trouble });
    } else if (age >= staleMs) changes.dropped.push(alert);
    else if (isElsewhere(alert, host)) continue;
    else if (alert.toldAt === null) changes.dropped.push(alert);
    else changes.cleared.push(alert);
  }
  return changes;
}

function isElsewhere({ kind, subject }: OpenAlert, host: string): boolean {
  return kind === "relay" && subject.startsWith(relaySubject("")) && subject !== relaySubject(host);
}

function keyOf({ kind, subject }: Pick<Trouble, "kind" | "subject">): string {
  return `${kind} ${subject}`;
}
