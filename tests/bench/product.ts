import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  fillReaders,
  migrateDatabase,
  startNode,
  type Api,
  type Audience,
  type EditionShown,
  type Node,
} from "../support/publication.ts";
import { createDatabase } from "../support/services.ts";
import { eventually } from "../support/world.ts";
import { processorTime, type Groups } from "./processes.ts";

export interface Measured {
  emails: number;
  ms: number;
  /** Processor time in milliseconds by group of processes. */
  cpu: Record<string, number>;
}

export const perSecond = ({ emails, ms }: { emails: number; ms: number }): number => (emails / ms) * 1_000;

/** Does something with so many emails, and counts the processor time of each group. */
export async function measure(groups: Groups, emails: number, work: () => Promise<number>): Promise<Measured> {
  const before = processorTime(groups);
  const ms = await work();
  const after = processorTime(groups);
  return {
    emails,
    ms,
    cpu: Object.fromEntries(Object.keys(groups).map((name) => [name, after[name]! - before[name]!])),
  };
}

export interface Product {
  api: Api;
  /** The process that sends. */
  sender: number;
  /** All processes of the program. */
  pids: number[];
  stop(): Promise<void>;
}

export interface ProductSettings {
  env: Record<string, string>;
  /** Options of Node's own for the process that sends. */
  nodeOptions?: readonly string[];
}

/** A web process and a worker with these settings, or one process for both on the embedded engines. */
export async function startProduct({ env, nodeOptions = [] }: ProductSettings): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-bench-"));
  const nodes: Node[] = [];
  const stop = async (): Promise<void> => {
    for (const { program } of nodes.reverse()) await program.end("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const start = async (role: "serve" | "web" | "worker", options: readonly string[]): Promise<Node> => {
      const node = await startNode(role, { ...env, DATA_DIR: join(folder, role) }, options);
      nodes.push(node);
      return node;
    };
    if (env["DATABASE_URL"] === undefined) {
      const { api, program } = await start("serve", nodeOptions);
      return { api, sender: program.pid, pids: [program.pid], stop };
    }
    const { api, program: web } = await start("web", []);
    const { program: worker } = await start("worker", nodeOptions);
    return { api, sender: worker.pid, pids: [web.pid, worker.pid], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A new database with this release's tables and so many readers. @returns its URL */
export async function newDatabase(server: string, name: string, readers: number): Promise<string> {
  const url = await createDatabase(server, name);
  const folder = mkdtempSync(join(tmpdir(), "dayletter-bench-"));
  await migrateDatabase({ DATABASE_URL: url, DATA_DIR: folder });
  rmSync(folder, { recursive: true });
  await fillReaders(url, readers);
  return url;
}

/** How often an edition is polled. The edition records when it closed, so polling slowly loses no precision. */
const lookMs = 250;
const limitMs = 3_600_000;

/** Sends an edition, from "send now" until it is finished. */
export async function sendEdition({ api }: Product, groups: Groups, audience: Audience = "Topic"): Promise<Measured> {
  await api.addArticles(audience);
  // Work that the new articles started has ended.
  await wait(500);
  let emails = 0;
  const measured = await measure(groups, 0, async () => {
    const begun = Date.now();
    const name = await api.sendNow();
    const finished = await eventually(
      "the edition is finished",
      async () => {
        await wait(lookMs);
        const { editions } = await api.get<{ editions: EditionShown[] }>("/editions?limit=1");
        return editions.find((edition) => edition.name === name && edition.state === "finished");
      },
      limitMs,
    );
    emails = finished.selected;
    return Date.parse(finished.closedAt!) - begun;
  });
  return { ...measured, emails };
}
