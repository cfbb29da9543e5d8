import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { onExit } from "../support/on-exit.ts";
import { startPostgres, startRedis, type PrivateServer } from "../support/private-servers.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";
import {
  clockFrom,
  fillReaders,
  migrateDatabase,
  startNode,
  type EditionShown,
  type Node,
} from "../support/publication.ts";
import { startSinkProcess, type SinkProcess } from "../support/sink.ts";

export interface StageOptions {
  readers: number;
  /** Of each worker. */
  connections: number;
  /** What commits and queued jobs survive a crash of Redis. */
  redisKeepsItsData: boolean;
  /** What the processes reach through proxies that can hang. */
  through: readonly Way[];
  /** How far the clock of the second worker is ahead, in milliseconds. */
  secondClockMs: number;
}

/** PostgreSQL and Redis, or the relay. */
export type Way = "servers" | "relay";

/** A web process and two workers of the built program on their own PostgreSQL, Redis and relay. */
export interface Stage {
  options: StageOptions;
  postgres: PrivateServer;
  redis: PrivateServer;
  proxies: Record<Way, Proxy[]>;
  sink: SinkProcess;
  /** Starts a relay on the port and with the log of the one that was killed. */
  reviveSink(): Promise<void>;
  /** Kills one with SIGKILL and starts it again, without waiting until it is ready. */
  kill(name: NodeName): Promise<void>;
  /** Resolves once `share` of the edition's emails have been accepted, or it is finished. */
  accepted(share: number): Promise<void>;
  /** Accepted messages of this edition so far. */
  count(): number;
  /** The same as what they are. */
  log(): { to: string; messageId: string }[];
  /** Opens an edition. */
  begin(): Promise<void>;
  /**
   * Waits until the edition is finished. Where only deferred deliveries are left, it moves the clocks of all processes on.
   * @throws Error with the balance after `limitMs`
   */
  finish(limitMs: number): Promise<EditionShown>;
  /** State and address of each delivery. */
  deliveries(): Promise<{ state: string; address: string }[]>;
  close(): Promise<void>;
}

export const nodeNames = ["web", "first worker", "second worker"] as const;
export type NodeName = (typeof nodeNames)[number];

const clockStepMs = 35 * 60_000;

export async function openStage(options: StageOptions): Promise<Stage> {
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), "dayletter-faults-"));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    const forget = onExit({ remove });
    closing.push(() => (forget(), remove()));
    const [postgres, redis] = await Promise.all([
      startPostgres({ durable: true }),
      startRedis({ durable: options.redisKeepsItsData }),
    ]);
    closing.push(() => Promise.all([postgres.stop(), redis.stop()]));
    const logFile = join(folder, "accepted.jsonl");
    let sink = await startSinkProcess({ logFile });
    closing.push(() => sink.kill());
    const { proxies, urls } = await openProxies(options.through, { postgres, redis, sink });
    closing.push(() => Promise.all([...proxies.servers, ...proxies.relay].map((proxy) => proxy.close())));

    const envOf = (name: NodeName): Record<string, string> => {
      const own = join(folder, name.replace(" ", "-"));
      mkdirSync(own, { recursive: true });
      return {
        DATA_DIR: own,
        DATABASE_URL: urls.postgres,
        REDIS_URL: urls.redis,
        SMTP_URL: urls.sink,
        SMTP_CONNECTIONS: String(options.connections),
        // What is deferred must still be wanted when the clocks have been moved.
        EXPIRE_HOURS: "168",
        LOG_LEVEL: "error",
        ...clockFrom(join(own, "clock")),
      };
    };
    let moved = 0;
    const setClocks = (): void => {
      for (const name of nodeNames) {
        const ahead = name === "second worker" ? options.secondClockMs : 0;
        writeFileSync(join(envOf(name)["DATA_DIR"]!, "clock"), String(moved + ahead));
      }
    };
    setClocks();
    await migrateDatabase(envOf("web"));
    await fillReaders(postgres.url, options.readers);
    const nodes = new Map<NodeName, Promise<Node>>();
    const start = (name: NodeName): Promise<Node> => {
      const node = startNode(name === "web" ? "web" : "worker", envOf(name));
      // A fault may end it before anything awaits it.
      node.catch(() => undefined);
      nodes.set(name, node);
      return node;
    };
    closing.push(() =>
      Promise.all([...nodes.values()].map(async (node) => (await node.catch(() => null))?.program.end("SIGKILL"))),
    );
    await Promise.all(nodeNames.map(start));
    let edition = "";
    let before = 0;
    const count = (): number => sink.count() - before;

    const web = async (): Promise<Node["api"]> => (await nodes.get("web")!).api;
    const show = async (): Promise<EditionShown | null> =>
      (await web()).get<EditionShown>(`/editions/${edition}`).catch(() => null);
    return {
      options,
      postgres,
      redis,
      proxies,
      get sink() {
        return sink;
      },
      async reviveSink() {
        sink = await startSinkProcess({ logFile, port: sink.port });
      },
      async kill(name) {
        const node = await nodes.get(name)!;
        await node.program.end("SIGKILL");
        void start(name);
      },
      count,
      log: () => sink.accepted().slice(before),
      async accepted(share) {
        const goal = Math.floor(share * options.readers);
        const limit = performance.now() + 600_000;
        let nextLook = performance.now() + 1_000;
        while (count() < goal) {
          // What is unknown may never have been accepted.
          if (performance.now() > nextLook) {
            if ((await show())?.state === "finished") return;
            nextLook = performance.now() + 1_000;
          }
          if (performance.now() > limit) throw new Error(`Only ${count()} of ${goal} emails were accepted.`);
          await wait(20);
        }
      },
      async begin() {
        before = sink.count();
        const { api } = await nodes.get("web")!;
        await api.addArticles();
        edition = await api.sendNow();
      },
      async finish(limitMs) {
        const limit = performance.now() + limitMs;
        for (;;) {
          const shown = await show();
          if (shown?.state === "finished") return shown;
          if (performance.now() > limit)
            throw new Error(`Not finished in time: ${JSON.stringify(shown ?? "no answer")}`);
          if (shown?.state === "paused") await (await web()).post(`/editions/${edition}/resume`, {});
          if (
            shown?.state === "sending" &&
            shown.balance.deferred > 0 &&
            shown.balance.pending + shown.balance.sending === 0
          ) {
            moved += clockStepMs;
            setClocks();
            await wait(2_000);
          }
          await wait(500);
        }
      },
      async deliveries() {
        const [, ...lines] = (await (await web()).text(`/editions/${edition}/deliveries/export`))
          .trimEnd()
          .split(/\r?\n/);
        return lines.map((line) => {
          const [, state = "", address = ""] = line.split(",").map((cell) => cell.replace(/^"|"$/g, ""));
          return { state, address };
        });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openProxies(
  through: readonly Way[],
  servers: { postgres: PrivateServer; redis: PrivateServer; sink: SinkProcess },
): Promise<{ proxies: Stage["proxies"]; urls: Record<keyof typeof servers, string> }> {
  const urls = { postgres: servers.postgres.url, redis: servers.redis.url, sink: servers.sink.url };
  const proxies: Stage["proxies"] = { servers: [], relay: [] };
  const names = { servers: ["postgres", "redis"], relay: ["sink"] } as const;
  for (const way of through) {
    for (const name of names[way]) {
      const proxy = await startProxy(urls[name]);
      proxies[way].push(proxy);
      urls[name] = proxy.url;
    }
  }
  return { proxies, urls };
}
