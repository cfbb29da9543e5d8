import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";
import { gauge, many } from "./metrics.ts";
import type { Metric } from "./prometheus.ts";

export interface ProcessMeter {
  /** Figures of this process; the delay of its event loop since they were last asked for. */
  measure(): Metric[];
  stop(): void;
}

const nanoseconds = 1e9;
const resolutionMs = 20;

/** Starts to watch the event loop of this process. */
export function startProcessMeter(): ProcessMeter {
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
      ];
      delay.reset();
      return metrics;
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
