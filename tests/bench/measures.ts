import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres, startRedis, type PrivateServer } from "../support/private-servers.ts";
import { followers } from "../support/publication.ts";
import { firstEmailOfTheHour } from "./first-email.ts";
import { startPlain } from "./plain.ts";
import { memoryOf, watchMemory, type Course, type Memory } from "./processes.ts";
import { measure, newDatabase, perSecond, sendEdition, startProduct, type Measured, type Product } from "./product.ts";
import { smtpSource, startRelay, type Relay } from "./relay.ts";

/** How much is measured. */
export interface Plan {
  rounds: number;
  connections: number;
  /** Emails in each round of smtp-source, of the product, and of the plain stack with cached HTML and with MJML. */
  source: number;
  main: number;
  plain: number;
  mjml: number;
  /** How many small editions in each round: one is too short to be measured exactly. */
  small: number;
  /** Readers of the large edition. */
  large: number;
  /** Of the largest, or null to leave it out. */
  largest: number | null;
  embedded: number;
  otherConnections: readonly number[];
}

export const plans = {
  normal: {
    rounds: 3,
    connections: 50,
    source: 20_000,
    main: 10_000,
    plain: 1_500,
    mjml: 200,
    small: 5,
    large: 100_000,
    largest: null,
    embedded: 20_000,
    otherConnections: [20, 100],
  },
  quick: {
    rounds: 1,
    connections: 50,
    source: 10_000,
    main: 5_000,
    plain: 500,
    mjml: 50,
    small: 1,
    large: 20_000,
    largest: null,
    embedded: 3_000,
    otherConnections: [],
  },
} satisfies Record<string, Plan>;

export const contestants = ["source", "plain", "plainDkim", "product", "productDkim"] as const;
export type Contestant = (typeof contestants)[number];

/** An edition of one size. */
export interface Sized {
  readers: number;
  dkim: boolean;
  measured: Measured;
}

export interface Findings {
  plan: Plan;
  relay: string;
  /** Of the machine before it began: above 0, others took their share. */
  loadAverage: number;
  messageBytes: number;
  /** One of each in every round, in turn; without those that this machine cannot run. */
  rounds: Partial<Record<Contestant, Measured>>[];
  mjml: Measured;
  sizes: Sized[];
  connections: { connections: number; measured: Measured }[];
  embedded: Measured;
  firstEmailMs: number;
  /** Milliseconds of one core for an RSA-2048 signature alone. */
  signatureMs: number;
  course: Course["points"];
  /** Of the worker after the largest edition, and of the embedded server. */
  memory: { worker: Memory; embedded: Memory };
}

export type Say = (line: string) => void;

/** What the measures share. */
interface Bench {
  plan: Plan;
  say: Say;
  relay: Relay;
  postgres: PrivateServer;
  redis: PrivateServer;
  dkim: Record<string, string>;
  privateKey: string;
}

/** Runs everything once. Starts what it needs and ends it. */
export async function measureAll(plan: Plan, say: Say): Promise<Findings> {
  const [loadAverage = 0] = loadavg();
  if (loadAverage > 0.5)
    say(`The load average is ${loadAverage.toFixed(1)}: other work on this machine distorts what follows`);
  return withBench(plan, say, async (bench) => {
    say("The first email of the hour");
    const first = await firstEmail(bench);
    const { rounds, mjml, sizes, connections } = await compare(bench, first.message);
    const large = await largeEditions(bench);
    say(`The embedded engines, ${plan.embedded} readers`);
    const embedded = await embeddedEdition(bench);
    return {
      plan,
      relay: bench.relay.name,
      loadAverage,
      messageBytes: first.message.length,
      rounds,
      mjml,
      sizes: [...sizes, ...large.sizes],
      connections,
      embedded: embedded.measured,
      firstEmailMs: first.ms,
      signatureMs: timeOfSignature(bench.privateKey),
      course: large.course,
      memory: { worker: large.memory, embedded: embedded.memory },
    };
  });
}

/** Sends one large edition without DKIM, for a look at the worker's profile. */
export async function profileLarge(plan: Plan, say: Say, folder: string): Promise<Measured> {
  return withBench(plan, say, async (bench) => {
    const databaseUrl = await newDatabase(bench.postgres.url, "profiled", plan.large);
    const nodeOptions = ["--cpu-prof", `--cpu-prof-dir=${folder}`];
    return withProduct(bench, { databaseUrl, redis: 1, nodeOptions }, (product) =>
      sendEdition(product, groupsOf(bench, product)),
    );
  });
}

async function withBench<T>(plan: Plan, say: Say, work: (bench: Bench) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-bench-"));
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const keyFile = join(folder, "dkim.pem");
  writeFileSync(keyFile, privateKey, { mode: 0o600 });
  const stopping: (() => Promise<void>)[] = [];
  try {
    const postgres = await startPostgres();
    stopping.push(() => postgres.stop());
    const redis = await startRedis();
    stopping.push(() => redis.stop());
    const relay = await startRelay();
    stopping.push(() => relay.stop());
    const dkim = { DKIM_DOMAIN: "example.com", DKIM_SELECTOR: "bench", DKIM_KEY_FILE: keyFile };
    return await work({ plan, say, relay, postgres, redis, dkim, privateKey });
  } finally {
    for (const stop of stopping.reverse()) await stop();
    rmSync(folder, { recursive: true });
  }
}

/** An hour at which nothing is due, so that only "send now" sends. */
const quietHour = (): string => `${String((new Date().getUTCHours() + 12) % 24).padStart(2, "0")}:00`;

interface Variant {
  /** None for the embedded engines. */
  databaseUrl?: string;
  /** Number of the Redis database. */
  redis?: number;
  dkim?: boolean;
  connections?: number;
  nodeOptions?: readonly string[];
}

function settings({ plan, relay, redis, dkim }: Bench, variant: Variant): Record<string, string> {
  return {
    ...(variant.databaseUrl === undefined
      ? {}
      : { DATABASE_URL: variant.databaseUrl, REDIS_URL: `${redis.url}/${variant.redis ?? 0}` }),
    SMTP_URL: `smtp://127.0.0.1:${relay.port}`,
    SMTP_CONNECTIONS: String(variant.connections ?? plan.connections),
    SEND_AT: quietHour(),
    ...(variant.dkim ? dkim : {}),
  };
}

async function withProduct<T>(bench: Bench, variant: Variant, work: (product: Product) => Promise<T>): Promise<T> {
  const { nodeOptions = [] } = variant;
  const product = await startProduct({ env: settings(bench, variant), nodeOptions });
  try {
    return await work(product);
  } finally {
    await product.stop();
  }
}

const groupsOf = ({ postgres, redis, relay }: Bench, { pids }: Product) => ({
  sender: pids,
  postgres: [postgres.pid()],
  redis: [redis.pid()],
  relay: [relay.pid],
});

async function firstEmail(bench: Bench): Promise<{ ms: number; message: Buffer }> {
  const databaseUrl = await newDatabase(bench.postgres.url, "hourly", bench.plan.large);
  const { SEND_AT: _, ...env } = settings(bench, { databaseUrl, redis: 4 });
  return firstEmailOfTheHour(env);
}

const smallAudiences = ["Tiny", "Small"] as const;
const noRuns = (): Record<(typeof smallAudiences)[number], Measured[]> => ({ Tiny: [], Small: [] });

/** Everything that is compared takes turns, so that what else the machine does falls on all. */
async function compare(
  bench: Bench,
  message: Buffer,
): Promise<Pick<Findings, "rounds" | "mjml" | "sizes" | "connections">> {
  const { plan, say, relay, redis, postgres, privateKey } = bench;
  const databaseUrl = await newDatabase(postgres.url, "main", plan.main);
  const signedUrl = await newDatabase(postgres.url, "signed", plan.main);
  const plain = await startPlain(message, {
    redisUrl: `${redis.url}/3`,
    port: relay.port,
    connections: plan.connections,
    privateKey,
  });
  const plainGroups = { sender: [plain.pid], redis: [redis.pid()], relay: [relay.pid] };
  const rounds: Findings["rounds"] = [];
  const smallRuns = { unsigned: noRuns(), signed: noRuns() };
  const connections: Findings["connections"] = [];
  try {
    await withProduct(bench, { databaseUrl, redis: 1 }, (unsigned) =>
      withProduct(bench, { databaseUrl: signedUrl, redis: 2, dkim: true }, async (signed) => {
        say("Warming up");
        const products = [
          { product: unsigned, runs: smallRuns.unsigned },
          { product: signed, runs: smallRuns.signed },
        ];
        for (const { product } of products) await sendEdition(product, groupsOf(bench, product), "Small");
        for (const dkim of [false, true]) await plain.send({ messages: Math.min(500, plan.plain), dkim });
        for (let n = 1; n <= plan.rounds; n += 1) {
          say(`Round ${n} of ${plan.rounds}`);
          const source = await sourceRun(bench, message.length);
          const plainRun = (dkim: boolean): Promise<Measured> =>
            measure(plainGroups, plan.plain, () => plain.send({ messages: plan.plain, dkim }));
          rounds.push({
            ...(source ? { source } : {}),
            plain: await plainRun(false),
            product: await sendEdition(unsigned, groupsOf(bench, unsigned)),
            plainDkim: await plainRun(true),
            productDkim: await sendEdition(signed, groupsOf(bench, signed)),
          });
          say(ratesOf(rounds.at(-1)!));
          for (let time = 1; time <= plan.small; time += 1)
            for (const { product, runs } of products)
              for (const audience of smallAudiences)
                runs[audience].push(await sendEdition(product, groupsOf(bench, product), audience));
        }
      }),
    );
    const sizes = (["unsigned", "signed"] as const).flatMap((kind): Sized[] => {
      const dkim = kind === "signed";
      const main = rounds.map((round) => round[dkim ? "productDkim" : "product"]!);
      return [
        ...smallAudiences.map((name) => ({
          readers: followers[name],
          dkim,
          measured: average(smallRuns[kind][name]),
        })),
        { readers: plan.main, dkim, measured: middleCost(main) },
      ];
    });
    for (const count of plan.otherConnections) {
      say(`${count} connections`);
      const measured = await withProduct(bench, { databaseUrl, redis: 1, connections: count }, async (product) => {
        await sendEdition(product, groupsOf(bench, product), "Small");
        return sendEdition(product, groupsOf(bench, product));
      });
      connections.push({ connections: count, measured });
    }
    connections.push({ connections: plan.connections, measured: middle(rounds.map((round) => round.product!)) });
    connections.sort((a, b) => a.connections - b.connections);
    say("MJML for each reader");
    const mjml = await measure(plainGroups, plan.mjml, () => plain.send({ messages: plan.mjml, mjml: true }));
    return { rounds, mjml, sizes, connections };
  } finally {
    await plain.stop();
  }
}

async function sourceRun({ plan, relay }: Bench, bytes: number): Promise<Measured | null> {
  let sent: Awaited<ReturnType<typeof smtpSource>> = null;
  const measured = await measure({ relay: [relay.pid] }, plan.source, async () => {
    sent = await smtpSource(relay, { messages: plan.source, bytes, connections: plan.connections });
    return sent?.ms ?? 0;
  });
  const sender = (sent as { sender: number } | null)?.sender;
  return sender === undefined ? null : { ...measured, cpu: { ...measured.cpu, sender } };
}

async function largeEditions(bench: Bench): Promise<{ sizes: Sized[]; course: Course["points"]; memory: Memory }> {
  const { plan, say, postgres } = bench;
  const sizes: Sized[] = [];
  let course: Course["points"] = [];
  let memory: Memory = { rss: 0, pss: 0, peak: 0 };
  for (const readers of plan.largest === null ? [plan.large] : [plan.large, plan.largest]) {
    const databaseUrl = await newDatabase(postgres.url, `readers_${readers}`, readers);
    for (const dkim of readers === plan.large ? [false, true] : [false]) {
      say(`${readers} readers${dkim ? ", DKIM" : ""}`);
      await withProduct(bench, { databaseUrl, redis: 1, dkim }, async (product) => {
        const watched = watchMemory(product.sender);
        const measured = await sendEdition(product, groupsOf(bench, product));
        watched.stop();
        sizes.push({ readers, dkim, measured });
        say(`${Math.round(perSecond(measured))}/s`);
        if (dkim) return;
        course = watched.points;
        memory = memoryOf(product.sender);
      });
    }
  }
  return { sizes, course, memory };
}

async function embeddedEdition(bench: Bench): Promise<{ measured: Measured; memory: Memory }> {
  return withProduct(bench, {}, async (product) => {
    await product.api.importReaders(bench.plan.embedded);
    const measured = await sendEdition(product, { sender: product.pids, relay: [bench.relay.pid] });
    return { measured, memory: memoryOf(product.sender) };
  });
}

/** Processor time of the program and its servers for each email, in milliseconds. */
export function ownCost({ cpu, emails }: Measured): number {
  return ["sender", "postgres", "redis"].reduce((sum, group) => sum + (cpu[group] ?? 0), 0) / emails;
}

function middleCost(runs: readonly Measured[]): Measured {
  return runs.toSorted((a, b) => ownCost(a) - ownCost(b))[Math.floor(runs.length / 2)]!;
}

/** Processor time is counted in steps of 10 ms, which are averaged out over many short runs. */
function average(runs: readonly Measured[]): Measured {
  const mean = (of: (one: Measured) => number): number => runs.reduce((sum, one) => sum + of(one), 0) / runs.length;
  const groups = Object.keys(runs[0]!.cpu);
  return {
    emails: mean(({ emails }) => emails),
    ms: mean(({ ms }) => ms),
    cpu: Object.fromEntries(groups.map((group) => [group, mean(({ cpu }) => cpu[group]!)])),
  };
}

/** The run whose rate is in the middle. */
export function middle(runs: readonly Measured[]): Measured {
  return runs.toSorted((a, b) => perSecond(a) - perSecond(b))[Math.floor(runs.length / 2)]!;
}

function ratesOf(round: Findings["rounds"][number]): string {
  return contestants
    .flatMap((name) => (round[name] ? [`${name} ${Math.round(perSecond(round[name]))}/s`] : []))
    .join(", ");
}

/** The fastest of several tries, as other work of the machine only adds. */
function timeOfSignature(privateKey: string): number {
  const data = Buffer.alloc(1_000, "a");
  const key = createPrivateKey(privateKey);
  const count = 200;
  const tries = Array.from({ length: 5 }, () => {
    const begun = performance.now();
    for (let n = 0; n < count; n += 1) sign("sha256", data, key);
    return (performance.now() - begun) / count;
  });
  return Math.min(...tries);
}
