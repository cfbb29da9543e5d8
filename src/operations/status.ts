import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/load.ts";
import type { Db, SubscriberStatus } from "../db/schema.ts";
import { countStates } from "../deliveries/store.ts";
import { localDate, nextSends, type NextSend } from "../schedule/calendar.ts";
import { balance, type Balance } from "../editions/state.ts";
import { listEditions, recordedDates, type Edition } from "../editions/store.ts";
import type { Transport } from "../mail/transport.ts";
import { loadSchedule, type EffectiveSchedule } from "../schedule/store.ts";
import { listSources, unhealthyAfter, type Source } from "../sources/store.ts";
import { countSuppressed } from "../subscribers/edition-suppressions.ts";
import { countByStatus } from "../subscribers/store.ts";

export interface EditionStatus extends Edition {
  balance: Balance;
  /** The sum in words: `selected 3 = sent 3 + …`. */
  sentence: string;
  /** Addresses suppressed because of this edition's emails. */
  suppressed: number;
}

export interface Status {
  publication: string;
  engines: { records: "embedded" | "postgres"; queue: "embedded" | "postgres" | "redis"; mail: "outbox" | "smtp" };
  schedule: EffectiveSchedule;
  next: NextSend[];
  latest: EditionStatus | null;
  sources: { total: number; unhealthy: Source[] };
  subscribers: Record<SubscriberStatus, number>;
  /** Articles waiting for the next edition. */
  waiting: number;
  transport: ReturnType<Transport["state"]>;
}

export interface StatusDeps {
  db: Db;
  clock: Clock;
  config: Config;
  transport: Transport;
}

/** The status for `dayletter status`, the front page and the API. */
export async function status({ db, clock, config, transport }: StatusDeps): Promise<Status> {
  const now = clock.now();
  const schedule = await loadSchedule(db);
  const [latest] = await listEditions(db, 1);
  const sources = (await listSources(db)).filter((source) => source.kind === "feed");
  return {
    publication: config.publicationName,
    engines: {
      records: config.embedded.records ? "embedded" : "postgres",
      queue: config.embedded.queue,
      mail: config.embedded.mail ? "outbox" : "smtp",
    },
    schedule,
    next: await comingSends(db, now, schedule),
    latest: latest ? await editionStatus(db, latest) : null,
    sources: { total: sources.length, unhealthy: sources.filter((source) => source.failures >= unhealthyAfter) },
    subscribers: await countByStatus(db),
    waiting: await countWaiting(db, now),
    transport: transport.state(),
  };
}

/** The next five sends, without dates that already have an edition. */
export async function comingSends(db: Db, now: Date, schedule: EffectiveSchedule): Promise<NextSend[]> {
  const recorded = await recordedDates(db, localDate(now, schedule.timezone));
  return nextSends(now, { ...schedule, skipped: new Set([...schedule.skipped, ...recorded]) }, 5);
}

export async function editionStatus(db: Db, edition: Edition): Promise<EditionStatus> {
  const counts = await countStates(db, edition.id, edition.selected);
  const suppressed = await countSuppressed(db, edition.id);
  return { ...edition, balance: counts, sentence: balance(counts).sentence, suppressed };
}

async function countWaiting(db: Db, now: Date): Promise<number> {
  const row = await db
    .selectFrom("articles")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("edition_id", "is", null)
    .where("hidden", "=", false)
    .where("backlog", "=", false)
    .where("eligible_at", "<=", now)
    .executeTakeFirstOrThrow();
  return row.count;
}
