import pg from "pg";
import { within } from "../base/async.ts";
import { asOptions, sessionSettings } from "./session.ts";

/** Something that only one process may do at a time. */
export interface Hold {
  /** Aborts when another process may do it. */
  lost: AbortSignal;
  release(): Promise<void>;
}

const connectMs = 5_000;

/**
 * Takes a lock that lasts as long as its connection (an advisory lock of the session), so that it is free at once when the process
 * dies. The connection is its own: the lock may be held for months.
 * @returns null while another process holds it
 */
export async function holdLock(url: string, name: string): Promise<Hold | null> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    options: asOptions(sessionSettings()),
  });
  const lost = new AbortController();
  client.on("error", () => lost.abort());
  client.on("end", () => lost.abort());
  const release = async (): Promise<void> => {
    await within(connectMs, client.end()).catch(() => undefined);
  };
  try {
    await client.connect();
    const { rows } = await client.query<{ held: boolean }>("select pg_try_advisory_lock(hashtext($1)) as held", [
      `dayletter:${name}`,
    ]);
    if (rows[0]!.held) return { lost: lost.signal, release };
  } catch (error) {
    await release();
    throw error;
  }
  await release();
  return null;
}

/** The same for an embedded database, which has one process. */
export async function holdAlone(): Promise<Hold> {
  return { lost: new AbortController().signal, release: async () => undefined };
}
