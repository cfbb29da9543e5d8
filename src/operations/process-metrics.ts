import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";
import { hostname } from "node:os";
import type pg from "pg";
import type { DbPool } from "../db/embedded-pool.ts";
import { gauge, many } from "./metrics.ts";
import { labelled, type Metric } from "./prometheus.ts";

export interface ProcessMeter {
  /**
   * Figures of this process; the delay of its event loop since they were last asked for. Each has the labels `role` and
   * `host`, so that processes behind one address can be told apart too.
   */
  measure(): Metric[];
  stop(): void;
}

const nanoseconds = 1e9;
const resolutionMs = 20;

export interface ProcessDeps {
  /** What the process was started as, such as `worker`. */
  role: string;
  database: { pool: DbPool };
  transport: { state(): { busy: number; reason: string | null } };
}

/** Starts to watch the event loop of this process. */
export function startProcessMeter({ role, database, transport }: ProcessDeps): ProcessMeter {
  const labels = { role, host: hostname() };
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  return {
    measure() {
      const { user, system } = process.cpuUsage();
      const metrics: Metric[] = [
        many("dayletter_event_loop_delay_seconds", "Delay of the event loop since the last look", delaysOf(delay)),
        gauge("process_resident_memory_bytes", "Resident memory", process.memoryUsage.rss()),
        {
          name: "process_cpu_seconds_total",
          help: "User and system time",
          type: "counter",
          samples: [{ value: (user + system) / 1e6 }],
        },
        gauge("process_uptime_seconds", "Time since this process started", Math.round(process.uptime())),
        gauge("dayletter_relay_busy", "Mails of this process that are at the relay", transport.state().busy),
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

/** The timer's own interval is no delay. */
function delaysOf(delay: IntervalHistogram): { labels: { quantile: string }; value: number }[] {
  if (delay.count === 0) return [];
  const of = (value: number): number => Math.max(0, value / nanoseconds - resolutionMs / 1_000);
  return [
    { labels: { quantile: "0.5" }, value: of(delay.percentile(50)) },
    { labels: { quantile: "0.99" }, value: of(delay.percentile(99)) },
    { labels: { quantile: "1" }, value: of(delay.max) },
  ];
}

/** Only a pool of connections can be measured: the embedded database is one session. */
function measurePool(pool: DbPool): Metric[] {
  const { totalCount, idleCount, waitingCount } = pool as Partial<
    Pick<pg.Pool, "totalCount" | "idleCount" | "waitingCount">
  >;
  if (totalCount === undefined || idleCount === undefined || waitingCount === undefined) return [];
  return [
    many("dayletter_pool_connections", "Connections of this process to the database", [
      { labels: { state: "busy" }, value: totalCount - idleCount },
      { labels: { state: "idle" }, value: idleCount },
    ]),
    gauge("dayletter_pool_waiting", "Who waits for a connection to the database", waitingCount),
  ];
}
