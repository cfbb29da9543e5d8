import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { deadAfterMs } from "../deliveries/senders.ts";
import { decideDue } from "../schedule/decide-due.ts";
import { recordedLately } from "../editions/due.ts";
import type { DeliveryState } from "../editions/state.ts";
import { listEditions, type Edition } from "../editions/store.ts";
import { editionName } from "../base/edition-name.ts";
import { loadSchedule } from "../schedule/store.ts";
import { listSources, unhealthyAfter } from "../sources/store.ts";
import { countByStatus } from "../subscribers/store.ts";
import type { Metric, Sample } from "./prometheus.ts";

export interface MetricsDeps {
  db: Db;
  clock: Clock;
  queues: Readonly<Record<string, { getJobCounts(...types: never[]): Promise<Record<string, number>> }>>;
  options: { catchUpHours: number };
}

const rateSeconds = 60;

/** Collected separately, so that an unreachable queue does not hide the other metrics. */
export const measures: Readonly<Record<string, (deps: MetricsDeps) => Promise<Metric[]>>> = {
  edition: measureEdition,
  sources: measureSources,
  readers: measureReaders,
  queue: measureQueue,
  senders: measureSenders,
  alerts: measureAlerts,
};

/** The newest edition: outcomes so far, sending rate and lateness. */
async function measureEdition(deps: MetricsDeps): Promise<Metric[]> {
  const now = deps.clock.now();
  const [latest] = await listEditions(deps.db, 1);
  const lag = await lagOf(deps, latest, now);
  const metrics = [
    gauge(
      "dayletter_edition_lag_seconds",
      "Seconds since the due time of the newest edition while it is unfinished, else 0",
      lag,
    ),
  ];
  if (!latest) return metrics;
  const { rows } = await sql<{ state: DeliveryState; count: number; recent: number }>`
    select state, count(*)::int as count,
      count(*) filter (where settled_at > ${new Date(now.getTime() - rateSeconds * 1_000)})::int as recent
    from deliveries where edition_id = ${latest.id} group by state`.execute(deps.db);
  const settled = rows.filter(({ state }) => state !== "skipped").reduce((sum, { recent }) => sum + recent, 0);
  return [
    ...metrics,
    many("dayletter_edition_info", "The newest edition and its state", [
      { labels: { edition: editionName(latest), state: latest.state }, value: 1 },
    ]),
    gauge("dayletter_edition_selected", "Readers selected for the newest edition", latest.selected),
    many(
      "dayletter_edition_deliveries",
      "Deliveries of the newest edition by state",
      rows.map(({ state, count }) => ({ labels: { state }, value: count })),
    ),
    gauge("dayletter_deliveries_per_second", "Relay replies per second over the last minute", settled / rateSeconds),
    ...(latest.sending_at && latest.closed_at
      ? [
          gauge(
            "dayletter_edition_sending_seconds",
            "Time taken to send the newest edition",
            seconds(latest.sending_at, latest.closed_at),
          ),
        ]
      : []),
  ];
}

/** Also counts editions that are due but not opened yet, and those that wait for an operator. */
async function lagOf({ db, options }: MetricsDeps, latest: Edition | undefined, now: Date): Promise<number> {
  const schedule = await loadSchedule(db);
  const recorded = await recordedLately(db, now);
  const due = decideDue({ now, since: schedule.since, schedule, recorded, catchUpHours: options.catchUpHours }).open;
  if (due) return seconds(due.dueAt, now);
  const open = latest && ["opening", "held", "sending", "paused"].includes(latest.state);
  return open ? Math.max(0, seconds(latest.due_at, now)) : 0;
}

async function measureSources({ db }: MetricsDeps): Promise<Metric[]> {
  const feeds = (await listSources(db)).filter((source) => source.kind === "feed");
  const each = (value: (source: (typeof feeds)[number]) => number | null): Sample[] =>
    feeds.flatMap((source) => {
      const measured = value(source);
      return measured === null ? [] : [{ labels: { source: String(source.id) }, value: measured }];
    });
  const healthy = feeds.filter((source) => source.failures < unhealthyAfter).length;
  return [
    many("dayletter_sources", "Feeds by health", [
      { labels: { health: "well" }, value: healthy },
      { labels: { health: "failing" }, value: feeds.length - healthy },
    ]),
    many(
      "dayletter_source_failures",
      "Consecutive failed fetches",
      each((source) => source.failures),
    ),
    many(
      "dayletter_source_succeeded_timestamp_seconds",
      "Time of the last successful fetch of the feed",
      each(({ succeeded_at: at }) => at && at.getTime() / 1_000),
    ),
  ];
}

async function measureReaders({ db, clock }: MetricsDeps): Promise<Metric[]> {
  const counts = await countByStatus(db);
  const { rows } = await sql<{ waiting: number }>`
    select count(*)::int as waiting from articles
    where edition_id is null and not hidden and not backlog and eligible_at <= ${clock.now()}`.execute(db);
  return [
    many(
      "dayletter_subscribers",
      "Subscribers by status",
      Object.entries(counts).map(([status, value]) => ({ labels: { status }, value })),
    ),
    gauge("dayletter_articles_waiting", "Articles waiting for the next edition", rows[0]!.waiting),
  ];
}

async function measureQueue({ queues }: MetricsDeps): Promise<Metric[]> {
  const samples = await Promise.all(
    Object.entries(queues).map(async ([queue, one]) =>
      Object.entries(await one.getJobCounts()).map(([state, value]) => ({ labels: { queue, state }, value })),
    ),
  );
  return [many("dayletter_queue_jobs", "Jobs by queue and state", samples.flat())];
}

async function measureSenders({ db }: MetricsDeps): Promise<Metric[]> {
  const { rows } = await sql<{ alive: number }>`
    select count(*)::int as alive from senders
    where beat_at > clock_timestamp() - make_interval(secs => ${deadAfterMs / 1_000})`.execute(db);
  return [gauge("dayletter_senders", "Processes that send email", rows[0]!.alive)];
}

async function measureAlerts({ db }: MetricsDeps): Promise<Metric[]> {
  const rows = await db
    .selectFrom("alerts")
    .select(["kind", (eb) => eb.fn.countAll<number>().as("count")])
    .where("cleared_at", "is", null)
    .where("told_at", "is not", null)
    .groupBy("kind")
    .execute();
  const all = rows.reduce((sum, row) => sum + row.count, 0);
  return [
    gauge("dayletter_alerts", "Open alerts", all),
    many(
      "dayletter_alert",
      "Open alerts by kind",
      rows.map((row) => ({ labels: { kind: row.kind }, value: row.count })),
    ),
  ];
}

function seconds(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1_000;
}

export function gauge(name: string, help: string, value: number): Metric {
  return many(name, help, [{ value }]);
}

export function many(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: "gauge", samples };
}
