import { Pool, type Dispatcher } from "undici";

/** Asks for the paths in turn, as through a proxy, over so many connections that never rest, and prints how long it took. */
const { url, paths, connections, requests } = JSON.parse(process.argv[2]!) as {
  url: string;
  paths: string[];
  connections: number;
  requests: number;
};
const pool = new Pool(url, { connections, pipelining: 1 });
const times: number[] = [];
let asked = 0;
let failed = 0;

/** Without undici's streams and promises: what asks shares the machine with what is measured. */
function ask(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let status = 0;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, statusCode) => void (status = statusCode),
      onResponseData: () => undefined,
      onResponseEnd: () => resolve(status),
      onResponseError: (_controller, error) => reject(error),
    };
    pool.dispatch({ path, method: "GET", headers: { via: "1.1 proxy" } }, handler);
  });
}

async function keepAsking(): Promise<void> {
  while (asked < requests) {
    const path = paths[asked % paths.length]!;
    asked += 1;
    const begun = performance.now();
    const status = await ask(path);
    times.push(performance.now() - begun);
    if (status !== 200) failed += 1;
  }
}

const begun = performance.now();
await Promise.all(Array.from({ length: connections }, keepAsking));
const seconds = (performance.now() - begun) / 1_000;
times.sort((a, b) => a - b);
const at = (share: number): number => Math.round(times[Math.floor(share * (times.length - 1))]! * 10) / 10;
process.stdout.write(
  `${JSON.stringify({ perSecond: Math.round(requests / seconds), p50: at(0.5), p95: at(0.95), p99: at(0.99), failed })}\n`,
);
await pool.close();
