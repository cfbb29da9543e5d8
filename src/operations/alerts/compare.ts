import { patienceMs, relaySubject, type AlertKind, type Trouble } from "./conditions.ts";

/** An alert that has not cleared. */
export interface OpenAlert {
  id: number;
  kind: AlertKind;
  subject: string;
  sentence: string;
  seenAt: Date;
  /** null until the problem has lasted long enough. */
  toldAt: Date | null;
}

export interface Changes {
  /** New problems to store. */
  seen: Trouble[];
  /** Open long enough to notify operators. */
  told: OpenAlert[];
  /** Notified and now over: send the all-clear. */
  cleared: OpenAlert[];
  /** Over before anyone was notified, or older than a week: close silently. */
  dropped: OpenAlert[];
  /** Still present with a different sentence. */
  reworded: { id: number; sentence: string }[];
}

/** Unresolved alerts close silently after a week. */
const staleMs = 7 * 24 * 3_600_000;

/**
 * Compares present problems with open alerts. Each problem is notified once when it starts and once when it ends.
 * @param host the host whose relay was checked; relay alerts of other hosts are left to those hosts
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
