import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/load.ts";
import type { Db, SubscriberStatus } from "../db/schema.ts";
import { countRetryable, countStates } from "../deliveries/store.ts";
import { countOutcomes, type OutcomeCounts } from "../outcomes/store.ts";
import { localDate, type NextSend } from "../schedule/calendar.ts";
import type { Balance } from "../ledger/balance.ts";
import { nextEdition } from "../schedule/next-edition.ts";
import { listEditions, recordedDates, type Edition } from "../editions/store.ts";
import { relayState, type RelayDeps, type RelayState } from "../deliveries/relay.ts";
import { loadSchedule, type EffectiveSchedule } from "../schedule/store.ts";
import { listSources, unhealthyAfter, type Source } from "../sources/store.ts";
import { countSuppressed } from "../subscribers/suppressions.ts";
import { countQuestions, type QuestionCounts } from "../subscribers/questions.ts";
import { countByStatus } from "../subscribers/store.ts";

const yearMs = 365 * 24 * 3_600_000;

export interface EditionStatus extends Edition {
  balance: Balance;
  /** Addresses suppressed because of this edition's emails. */
  suppressed: number;
  /** Rejected and expired deliveries that a retry would send again. */
  retryable: number;
  /** What became of its emails after the relay had accepted them. */
  outcomes: OutcomeCounts;
}

export interface Status {
  publication: string;
  engines: { records: "embedded" | "postgres"; queue: "embedded" | "postgres" | "redis"; mail: "outbox" | "smtp" };
  schedule: EffectiveSchedule;
  next: NextSend[];
  latest: EditionStatus | null;
  sources: { total: number; unhealthy: Source[] };
  subscribers: Record<SubscriberStatus, number>;
  /** Readers who were asked within a year whether they still want the emails. */
  questions: QuestionCounts;
  /** Articles waiting for the next edition. */
  waiting: number;
  transport: RelayState;
}

export interface StatusDeps {
  db: Db;
  clock: Clock;
  config: Config;
  transport: RelayDeps["transport"];
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
    questions: await countQuestions(db, new Date(now.getTime() - yearMs)),
    waiting: await countWaiting(db, now),
    transport: await relayState({ db, clock, transport, options: config }),
  };
}

/** The next five sends, without dates that already have an edition. */
export async function comingSends(db: Db, now: Date, schedule: EffectiveSchedule): Promise<NextSend[]> {
  const recorded = await recordedDates(db, localDate(now, schedule.timezone));
  return nextEdition(now, schedule, recorded, { sends: 5 }).sends;
}

export async function editionStatus(db: Db, edition: Edition): Promise<EditionStatus> {
  return {
    ...edition,
    balance: await countStates(db, edition),
    suppressed: await countSuppressed(db, edition.id),
    retryable: await countRetryable(db, edition.id),
    outcomes: await countOutcomes(db, edition.id),
  };
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
