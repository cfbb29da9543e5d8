import pg from "pg";
import { createPgConfig } from "@electric-sql/pglite/node-postgres";
import { Mutex } from "async-mutex";
import { EventEmitter } from "node:events";
import { setImmediate } from "node:timers/promises";
import type { PGlite } from "@electric-sql/pglite";
import { valueTypes } from "./session.ts";

/** The part of `pg.PoolClient` that Kysely and BullMQ use. */
export interface DbClient extends EventEmitter {
  query<R extends pg.QueryResultRow>(text: string, params?: readonly unknown[]): Promise<pg.QueryResult<R>>;
  release(destroy?: boolean): void;
}

/** The part of `pg.Pool` that Kysely and BullMQ use; a `pg.Pool` is one. */
export interface DbPool {
  connect(): Promise<DbClient>;
  query<R extends pg.QueryResultRow>(text: string, params?: readonly unknown[]): Promise<pg.QueryResult<R>>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): this;
}

/** LISTEN or UNLISTEN, its channel quoted or bare; BullMQ writes a comment before it. */
const listenStatement = /^(?:\s|--.*\n)*(listen|unlisten)\s+(?:"([^"]+)"|([\w$]+|\*))\s*(?:;\s*)?$/i;

/**
 * The engine runs in this process and answers in the same tick, so a loop of statements would block all requests and
 * timers. After this many milliseconds, the next statement waits for the event loop.
 */
const longestRunMs = 10;

/** Our tables take precedence. BullMQ's tables are in the schema `bullmq`. */
export const searchPath = "public, bullmq";

/**
 * A pool like `pg.Pool` on one PGlite, which is a single session. It uses one real `pg.Client`, so values have the same
 * types as with PostgreSQL. Any number of clients can be connected. They take turns, first in, first out, for each
 * statement or transaction.
 * `end()` closes the pool's session, not the PGlite, which belongs to the caller.
 */
export async function createEmbeddedPool(pglite: PGlite): Promise<DbPool> {
  const session = new pg.Client({ ...createPgConfig(pglite), types: valueTypes });
  await session.connect();
  await session.query(`set search_path = ${searchPath}`);
  return new EmbeddedPool(session);
}

class EmbeddedPool extends EventEmitter implements DbPool {
  readonly #session: pg.Client;
  readonly #mutex = new Mutex();
  readonly #loop = { turnedAt: 0 };
  #ended = false;

  constructor(session: pg.Client) {
    super();
    // Each queue's worker listens with its own client.
    this.setMaxListeners(0);
    session.setMaxListeners(0);
    this.#session = session;
  }

  async connect(): Promise<DbClient> {
    this.#refuseWhenEnded();
    return new EmbeddedClient(this.#session, this.#mutex, this.#loop);
  }

  async query<R extends pg.QueryResultRow>(text: string, params?: readonly unknown[]): Promise<pg.QueryResult<R>> {
    const client = await this.connect();
    try {
      return await client.query<R>(text, params);
    } finally {
      client.release();
    }
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const leave = await this.#mutex.acquire();
    await this.#session.end();
    leave();
  }

  #refuseWhenEnded(): void {
    if (this.#ended) throw new Error("Cannot use a pool after calling end on the pool");
  }
}

class EmbeddedClient extends EventEmitter implements DbClient {
  readonly #session: pg.Client;
  readonly #mutex: Mutex;
  /** When the event loop last had a turn, in ms; shared by all clients of the pool. */
  readonly #loop: { turnedAt: number };
  readonly #channels = new Set<string>();
  readonly #forward = (message: pg.Notification): void => {
    if (this.#channels.has(message.channel)) this.emit("notification", message);
  };
  /** Releases the mutex; set exactly while this client has an open transaction. */
  #leave: (() => void) | null = null;
  /** The statements of one client run in order, as in a `pg.Client`. */
  #last: Promise<unknown> = Promise.resolve();
  #released = false;

  constructor(session: pg.Client, mutex: Mutex, loop: { turnedAt: number }) {
    super();
    this.#session = session;
    this.#mutex = mutex;
    this.#loop = loop;
    session.on("notification", this.#forward);
  }

  query<R extends pg.QueryResultRow>(text: string, params?: readonly unknown[]): Promise<pg.QueryResult<R>> {
    if (this.#released) return Promise.reject(new Error("Client was released and cannot be queried"));
    const result = this.#last.then(() => this.#run<R>(text, params));
    this.#last = result.catch(() => undefined);
    return result;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#session.off("notification", this.#forward);
    this.removeAllListeners();
    // An open transaction of a released client must not pass to the next one.
    void this.#last.then(async () => {
      if (this.#leave) await this.#run("rollback").catch(() => undefined);
    });
  }

  async #run<R extends pg.QueryResultRow>(text: string, params?: readonly unknown[]): Promise<pg.QueryResult<R>> {
    const leave = this.#leave ?? (await this.#mutex.acquire());
    if (performance.now() - this.#loop.turnedAt > longestRunMs) {
      await setImmediate();
      this.#loop.turnedAt = performance.now();
    }
    try {
      const result = await this.#session.query<R>(this.#listening(text), params as unknown[] | undefined);
      return result;
    } finally {
      const status = this.#session.getTransactionStatus();
      const inTransaction = status === "T" || status === "E";
      this.#leave = inTransaction ? leave : null;
      if (!inTransaction) leave();
    }
  }

  /**
   * Records which channels this client listens to. The session listens for all clients, so the UNLISTEN of one client
   * must not reach it.
   * @returns the statement for the session
   */
  #listening(text: string): string {
    const [, verb, quoted, bare] = listenStatement.exec(text) ?? [];
    const channel = quoted ?? bare?.toLowerCase();
    if (!verb || !channel) return text;
    if (verb.toLowerCase() === "listen") {
      this.#channels.add(channel);
      return text;
    }
    if (channel === "*") this.#channels.clear();
    else this.#channels.delete(channel);
    return "";
  }
}
