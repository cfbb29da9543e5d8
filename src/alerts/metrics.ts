import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";
import { hostname } from "node:os";
import type pg from "pg";
import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { currentRate } from "../mail/shared-limits.ts";
import { countSenders } from "../ledger/dead-senders.ts";
import { sharedLimits } from "../ledger/limit-store.ts";
import { nextEdition } from "../schedule/next-edition.ts";
import { recordedLately } from "../editions/due.ts";
import type { DeliveryState } from "../ledger/state.ts";
import { listEditions, type Edition } from "../editions/store.ts";
import { editionName } from "../base/edition-name.ts";
import { phaseOf } from "../providers/state.ts";
import { bounceKinds } from "../outcomes/bounce-kind.ts";
import { listReportSources } from "../outcomes/report-sources.ts";
import { listProviderOutcomes, listProviders, type ListedProvider, type ProviderOutcomes } from "../providers/store.ts";
import { countSuppressions } from "../subscribers/suppression-search.ts";
import { loadSchedule } from "../schedule/store.ts";
import { listSources, unhealthyAfter } from "../sources/store.ts";
import { countByStatus } from "../subscribers/store.ts";
import type { DbPool } from "../db/embedded-pool.ts";

export interface MetricsDeps {
  db: Db;
  clock: Clock;
  queues: Readonly<Record<string, { getJobCounts(...types: never[]): Promise<Record<string, number>> }>>;
  options: { catchUpHours: number; smtpRate: number | null };
}

const rateSeconds = 60;

/** Collected separately, so that an unreachable queue does not hide the other metrics. */
export const measures: Readonly<Record<string, (deps: MetricsDeps) => Promise<Metric[]>>> = {
  edition: measureEdition,
  sources: measureSources,
  readers: measureReaders,
  queue: measureQueue,
  senders: measureSenders,
  limits: measureLimits,
  alerts: measureAlerts,
  providers: measureProviders,
  outcomes: measureOutcomes,
};

/** The newest edition: outcomes so far, sending rate and lateness. */
async function measureEdition(deps: MetricsDeps): Promise<Metric[]> {
  const now = deps.clock.now();
  const [latest] = await listEditions(deps.db, 1);
  const lag = await lagOf(deps, latest, now);
  const metrics = [
    gauge(
      "dayletter_edition_lag_seconds",
      "Seconds since the due time of the newest edition while it is unfinished, otherwise 0",
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
  const { open: due } = nextEdition(now, schedule, await recordedLately(db, now), options);
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
  return [gauge("dayletter_senders", "Processes that send email", await countSenders(db))];
}

/** What all workers share. A pause counts until a worker has sent an email after it. */
async function measureLimits({ db, options }: MetricsDeps): Promise<Metric[]> {
  const { limits, now } = await sharedLimits(db);
  const { pause } = limits;
  const rate = currentRate(limits, options.smtpRate, now);
  const paused = pause === null ? 0 : 1;
  const left = pause ? Math.max(0, pause.until - now) / 1_000 : 0;
  return [
    many(
      "dayletter_sending_paused",
      "1 while all workers have paused sending, by cause: a failure of the relay or a used-up quota",
      [
        { labels: { cause: "failure" }, value: pause?.quota ? 0 : paused },
        { labels: { cause: "quota" }, value: pause?.quota ? 1 : 0 },
      ],
    ),
    gauge("dayletter_sending_pause_seconds", "Time until the relay is tried again, 0 if sending is not paused", left),
    many(
      "dayletter_sending_rate_limit",
      "Emails per second that all workers may send together now; absent without a limit",
      rate === null ? [] : [{ value: rate }],
    ),
  ];
}

async function measureAlerts({ db }: MetricsDeps): Promise<Metric[]> {
  const rows = await db
    .selectFrom("alerts")
    .select(["kind", (eb) => eb.fn.countAll<number>().as("count")])
    .where("cleared_at", "is", null)
    .where("notified_at", "is not", null)
    .groupBy("kind")
    .execute();
  const all = rows.reduce((sum, row) => sum + row.count, 0);
  return [
    gauge("dayletter_alerts", "Active alerts", all),
    many(
      "dayletter_alert",
      "Active alerts by kind",
      rows.map((row) => ({ labels: { kind: row.kind }, value: row.count })),
    ),
  ];
}

const mostProviders = 50;
const allProviders = 10_000;

/** Of the last 24 hours; see `dayletter providers list`. */
async function measureProviders({ db, clock }: MetricsDeps): Promise<Metric[]> {
  const now = clock.now();
  const providers = await listProviders(db, now, mostProviders);
  const each = (value: (provider: ListedProvider) => number): Sample[] =>
    providers.map((one) => ({ labels: { provider: one.name }, value: value(one) }));
  return [
    many(
      "dayletter_provider_limited",
      "1 for each mailbox provider that is paused, blocked or being tried again",
      providers.flatMap((one) => {
        const state = phaseOf(one, now);
        return state === "open" ? [] : [{ labels: { provider: one.name, state }, value: 1 }];
      }),
    ),
    many(
      "dayletter_provider_emails_per_minute",
      "Emails that the mailbox provider accepted in the last minute",
      each((one) => one.perMinute),
    ),
    many(
      "dayletter_provider_replies",
      "Replies of the mailbox provider in the last 24 hours",
      providers.flatMap(({ name: provider, accepted, deferred, refused }) =>
        Object.entries({ accepted, deferred, refused }).map(([reply, value]) => ({
          labels: { provider, reply },
          value,
        })),
      ),
    ),
  ];
}

/** Of the emails of the last days, as far as they were reported; see `dayletter providers list`. */
async function measureOutcomes({ db, clock }: MetricsDeps): Promise<Metric[]> {
  const [providers, sources, suppressions] = await Promise.all([
    listProviderOutcomes(db, clock.now(), allProviders),
    listReportSources(db),
    countSuppressions(db),
  ]);
  const sum = (of: (one: ProviderOutcomes) => number): number => providers.reduce((total, one) => total + of(one), 0);
  const shown = providers.slice(0, mostProviders);
  const each = (value: (one: ProviderOutcomes) => number): Sample[] =>
    shown.map((one) => ({ labels: { provider: one.name }, value: value(one) }));
  return [
    gauge(
      "dayletter_emails",
      "Emails that the relay accepted in the last 7 days",
      sum(({ emails }) => emails),
    ),
    many(
      "dayletter_bounces",
      "Bounces of the emails of the last 7 days, as far as they were reported",
      bounceKinds.map((kind) => ({ labels: { kind }, value: sum((one) => one[kind]) })),
    ),
    gauge(
      "dayletter_complaints",
      "Complaints about the emails of the last 7 days, as far as they were reported",
      sum(({ complained }) => complained),
    ),
    many(
      "dayletter_provider_emails",
      "Emails that the mailbox provider accepted in the last 7 days",
      each(({ emails }) => emails),
    ),
    many(
      "dayletter_provider_bounces",
      "The same as dayletter_bounces for each mailbox provider",
      shown.flatMap((one) => bounceKinds.map((kind) => ({ labels: { provider: one.name, kind }, value: one[kind] }))),
    ),
    many(
      "dayletter_provider_complaints",
      "The same as dayletter_complaints for each mailbox provider",
      each(({ complained }) => complained),
    ),
    many(
      "dayletter_suppressions",
      "Suppressed addresses by reason",
      suppressions.map(({ reason, count }) => ({ labels: { reason }, value: count })),
    ),
    many(
      "dayletter_reports_timestamp_seconds",
      "Time of the last report of a bounce or complaint by each way in",
      sources.map(({ source, lastAt }) => ({ labels: { source }, value: lastAt.getTime() / 1_000 })),
    ),
  ];
}

function seconds(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1_000;
}

function gauge(name: string, help: string, value: number): Metric {
  return many(name, help, [{ value }]);
}

export function many(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: "gauge", samples };
}

interface ProcessMeter {
  /**
   * Metrics of this process. The event loop delay covers the time since the last call. Labels `role` and `host` tell
   * processes behind one address apart.
   */
  measure(): Metric[];
  stop(): void;
}

const nanoseconds = 1e9;
const resolutionMs = 20;

export interface ProcessDeps {
  /** The role of the process, such as `worker`. */
  role: string;
  database: { pool: DbPool };
  transport: { state(): { busy: number; reason: unknown } };
}

/** Starts measuring the event loop of this process. */
export function startProcessMeter({ role, database, transport }: ProcessDeps): ProcessMeter {
  const labels = { role, host: hostname() };
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  return {
    measure() {
      const { user, system } = process.cpuUsage();
      const metrics: Metric[] = [
        many("dayletter_event_loop_delay_seconds", "Event loop delay since the last scrape", delaysOf(delay)),
        gauge("process_resident_memory_bytes", "Resident memory", process.memoryUsage.rss()),
        {
          name: "process_cpu_seconds_total",
          help: "User and system time",
          type: "counter",
          samples: [{ value: (user + system) / 1e6 }],
        },
        gauge("process_uptime_seconds", "Time since this process started", Math.round(process.uptime())),
        gauge("dayletter_relay_busy", "Emails that this process is handing to the relay", transport.state().busy),
        gauge(
          "dayletter_relay_trouble",
          "1 while this process does not send to the relay, or sends only a few emails to test it",
          transport.state().reason === null ? 0 : 1,
        ),
        ...measurePool(database.pool),
      ];
      delay.reset();
      return labelled(metrics, labels);
    },
    stop: () => void delay.disable(),
  };
}

/** The timer's own interval does not count as delay. */
function delaysOf(delay: IntervalHistogram): { labels: { quantile: string }; value: number }[] {
  if (delay.count === 0) return [];
  const of = (value: number): number => Math.max(0, value / nanoseconds - resolutionMs / 1_000);
  return [
    { labels: { quantile: "0.5" }, value: of(delay.percentile(50)) },
    { labels: { quantile: "0.99" }, value: of(delay.percentile(99)) },
    { labels: { quantile: "1" }, value: of(delay.max) },
  ];
}

/** The embedded database is a single session, so there is no pool to measure. */
function measurePool(pool: DbPool): Metric[] {
  const { totalCount, idleCount, waitingCount } = pool as Partial<
    Pick<pg.Pool, "totalCount" | "idleCount" | "waitingCount">
  >;
  if (totalCount === undefined || idleCount === undefined || waitingCount === undefined) return [];
  return [
    many("dayletter_pool_connections", "Database connections of this process", [
      { labels: { state: "busy" }, value: totalCount - idleCount },
      { labels: { state: "idle" }, value: idleCount },
    ]),
    gauge("dayletter_pool_waiting", "Queries waiting for a database connection", waitingCount),
  ];
}

/** One Prometheus metric. */
export interface Metric {
  name: string;
  help: string;
  type: "gauge" | "counter";
  samples: readonly Sample[];
}

interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
}

/** Adds labels to every sample of the metrics. */
function labelled(metrics: readonly Metric[], labels: Readonly<Record<string, string>>): Metric[] {
  return metrics.map((metric) => ({
    ...metric,
    samples: metric.samples.map((sample) => ({ ...sample, labels: { ...labels, ...sample.labels } })),
  }));
}

export const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/** Metrics in Prometheus' text format 0.0.4 (prometheus.io, "Exposition formats"). Metrics without samples are omitted. */
export function writeMetrics(metrics: readonly Metric[]): string {
  return metrics
    .filter((metric) => metric.samples.length > 0)
    .map(({ name, help, type, samples }) =>
      [
        `# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(({ labels = {}, value }) => `${name}${labelsOf(labels)} ${numberOf(value)}`),
        "",
      ].join("\n"),
    )
    .join("");
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, text]) => `${name}="${escaped(text)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}

function numberOf(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}
