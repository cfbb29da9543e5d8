import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";
import { hostname } from "node:os";
import type pg from "pg";
import type { DbPool } from "../db/embedded-pool.ts";
import { gauge, many } from "./metrics.ts";
import { labelled, type Metric } from "./prometheus.ts";

export interface ProcessMeter {
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
  transport: { state(): { busy: number; reason: string | null } };
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
          "1 while this process leaves the relay alone, or tries it carefully",
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
