import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import { nodeNames, openStage, type NodeName, type Stage, type StageOptions } from "./stage.ts";

/**
 * How many deliveries a lost connection, or a killed process for each of its connections, may leave unknown: the message
 * that was at the relay, and for a killed process the one that was claimed next.
 */
const mostUnknownPerConnection = 2;

/** A fault that happens in the middle of an edition. */
export interface Fault {
  name: string;
  stage?: Partial<Pick<StageOptions, "redisKeepsItsData" | "through" | "secondClockMs">>;
  /**
   * Does the harm, and undoes it.
   * @param outageMs how long a server is away
   * @returns processes killed that send, times over which all connections were cut, and the longest time to resume
   */
  happen(stage: Stage, outageMs: number): Promise<Harm>;
}

interface Harm {
  /** Each counts with its connections for the bound of what may be unknown. */
  lostConnections: number;
  resumedMs: number;
}

export interface Result {
  fault: string;
  readers: number;
  accepted: number;
  /** Readers whom the ledger says an email was sent to, of which the relay has none; and readers in no right state. */
  lost: number;
  /** Messages accepted again, by their Message-ID. */
  doubled: number;
  unknown: number;
  mostUnknown: number;
  resumedSeconds: number;
  seconds: number;
}

const kills = 20;
const fiveMinutes = 300_000;

export const faults = {
  kill: {
    name: `${kills} × kill -9 of random processes`,
    async happen(stage) {
      let senders = 0;
      let longest = 0;
      for (let n = 1; n <= kills; n += 1) {
        await stage.accepted(n / (kills + 2));
        const name = nodeNames[Math.floor(Math.random() * nodeNames.length)] as NodeName;
        if (name !== "web") senders += 1;
        await stage.kill(name);
        longest = Math.max(longest, await resumed(stage));
      }
      return { lostConnections: senders * stage.options.connections, resumedMs: longest };
    },
  },
  postgres: {
    name: "PostgreSQL stopped hard and started",
    happen: (stage, outageMs) => outage(stage, stage.postgres, outageMs),
  },
  redis: {
    name: "Redis stopped and started",
    stage: { redisKeepsItsData: true },
    happen: (stage, outageMs) => outage(stage, stage.redis, outageMs),
  },
  flushall: {
    name: "Redis: FLUSHALL",
    stage: { redisKeepsItsData: true },
    async happen(stage) {
      const client = new Redis(stage.redis.url);
      await client.flushall();
      client.disconnect();
      return { lostConnections: 0, resumedMs: await resumed(stage) };
    },
  },
  "redis-empty": {
    name: "Redis killed and started empty",
    happen: (stage, outageMs) => outage(stage, stage.redis, outageMs),
  },
  "sink-frozen": {
    name: "Relay frozen",
    async happen(stage, outageMs) {
      process.kill(stage.sink.pid, "SIGSTOP");
      await wait(outageMs);
      process.kill(stage.sink.pid, "SIGCONT");
      return { lostConnections: 0, resumedMs: await resumed(stage) };
    },
  },
  "sink-killed": {
    name: "Relay killed and started",
    async happen(stage, outageMs) {
      await stage.sink.kill();
      await wait(outageMs);
      await stage.reviveSink();
      return { lostConnections: allConnections(stage), resumedMs: await resumed(stage) };
    },
  },
  "sink-slow": {
    name: "Relay answers each email after 0.5 s",
    async happen(stage, outageMs) {
      stage.sink.behave({ delayMs: 500 });
      await wait(outageMs);
      stage.sink.behave({});
      return { lostConnections: 0, resumedMs: await resumed(stage) };
    },
  },
  "sink-late": {
    name: "Relay answers every 50th email late",
    async happen(stage, outageMs) {
      // Longer than a job waits for slow receivers, but each of thousands of late replies holds a connection for so long.
      stage.sink.behave({ late: { every: 50, ms: Math.min(outageMs, 5_000) } });
      await stage.accepted(0.6);
      stage.sink.behave({});
      return { lostConnections: 0, resumedMs: await resumed(stage) };
    },
  },
  "sink-twice": {
    name: "Relay answers every 50th email twice",
    async happen(stage) {
      stage.sink.behave({ twice: { every: 50 } });
      await stage.accepted(0.6);
      stage.sink.behave({});
      return { lostConnections: 0, resumedMs: await resumed(stage) };
    },
  },
  "network-relay": {
    name: "Network to the relay hangs, then cuts the connections",
    stage: { through: ["relay"] },
    async happen(stage, outageMs) {
      for (const proxy of stage.proxies.relay) proxy.hang();
      await wait(outageMs);
      for (const proxy of stage.proxies.relay) {
        await proxy.away();
        proxy.goOn();
        await proxy.back();
      }
      return { lostConnections: allConnections(stage), resumedMs: await resumed(stage) };
    },
  },
  "network-servers": {
    name: "Network to PostgreSQL and Redis hangs",
    stage: { through: ["servers"] },
    async happen(stage, outageMs) {
      for (const proxy of stage.proxies.servers) proxy.hang();
      await wait(outageMs);
      for (const proxy of stage.proxies.servers) proxy.goOn();
      return { lostConnections: 0, resumedMs: await resumed(stage) };
    },
  },
  clocks: {
    name: "Two workers 5 minutes apart, and kill -9 of one",
    stage: { secondClockMs: fiveMinutes },
    async happen(stage) {
      await stage.kill("first worker");
      return { lostConnections: stage.options.connections, resumedMs: await resumed(stage) };
    },
  },
} satisfies Record<string, Fault>;

/** An edition with the fault in its middle, on servers of its own, and what became of its emails. */
export async function runFault(
  fault: Fault,
  options: { readers: number; connections: number; outageMs: number; limitMs: number },
): Promise<Result> {
  const begun = performance.now();
  const stage = await openStage({
    readers: options.readers,
    connections: options.connections,
    redisKeepsItsData: false,
    through: [],
    secondClockMs: 0,
    ...fault.stage,
  });
  try {
    const result = await sendThrough(fault, stage, options);
    return { ...result, seconds: (performance.now() - begun) / 1_000 };
  } finally {
    await stage.close();
  }
}

/** The same on a stage that is open, and stays. */
export async function sendThrough(
  fault: Fault,
  stage: Stage,
  options: { outageMs: number; limitMs: number },
): Promise<Omit<Result, "seconds">> {
  const { readers } = stage.options;
  await stage.begin();
  await stage.accepted(0.3);
  const harm = await fault.happen(stage, options.outageMs);
  const { balance } = await stage.finish(options.limitMs);
  return {
    fault: fault.name,
    readers,
    ...count(readers, await stage.deliveries(), stage.log()),
    unknown: balance.unknown,
    mostUnknown: harm.lostConnections * mostUnknownPerConnection,
    resumedSeconds: harm.resumedMs / 1_000,
  };
}

/** Compares the ledger with what the relay has accepted. tests/README.md has the definitions. */
function count(
  readers: number,
  deliveries: readonly { state: string; address: string }[],
  accepted: readonly { to: string; messageId: string }[],
): Pick<Result, "accepted" | "lost" | "doubled"> {
  const reached = new Set(accepted.map(({ to }) => to));
  const messages = new Set(accepted.map(({ messageId }) => messageId));
  const right = deliveries.filter(
    ({ state, address }) => state === "unknown" || (state === "sent" && reached.has(address)),
  );
  const doubled = accepted.length - Math.min(messages.size, reached.size);
  return { accepted: accepted.length, lost: readers - right.length, doubled };
}

async function outage(
  stage: Stage,
  server: { crash(): Promise<void>; restart(): Promise<void> },
  ms: number,
): Promise<Harm> {
  await server.crash();
  await wait(ms);
  await server.restart();
  return { lostConnections: 0, resumedMs: await resumed(stage) };
}

const allConnections = ({ options }: Stage): number => 2 * options.connections;

/** Milliseconds until more emails have been accepted than can have been under way. */
async function resumed(stage: Stage): Promise<number> {
  const begun = performance.now();
  const goal = Math.min(stage.count() + allConnections(stage) + 1, 0.98 * stage.options.readers);
  await stage.accepted(goal / stage.options.readers);
  return performance.now() - begun;
}
