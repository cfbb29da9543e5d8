import type { Session } from "./session.ts";
import type { SmtpFailure } from "./verdict.ts";

/** The connections to the relay: busy ones with one message each, and idle ones. */
export interface ConnectionPool {
  /** The idle connection used last, or a new one; always a new one if `fresh`. */
  take(fresh: boolean): Promise<{ session: Session; kept: boolean } | { failure: SmtpFailure }>;
  /** Returns a connection after a message. With `worn` it is closed and not reused. */
  put(session: Session, worn?: boolean): void;
  /** The number of open connections. */
  open(): number;
  /** Closes idle connections until no more than `most` are open. */
  shrink(most: number): void;
  /** Sends QUIT on idle connections and drops the others. */
  close(): Promise<void>;
}

export function createConnectionPool(create: () => Session, idleMs: number): ConnectionPool {
  const idle = new Map<Session, NodeJS.Timeout>();
  const taken = new Set<Session>();
  let closed = false;

  function dismiss(session: Session): Promise<void> {
    clearTimeout(idle.get(session));
    idle.delete(session);
    return session.quit();
  }

  return {
    async take(fresh) {
      for (const session of fresh ? [] : [...idle.keys()].toReversed()) {
        clearTimeout(idle.get(session));
        idle.delete(session);
        if (!session.alive()) continue;
        taken.add(session);
        return { session, kept: true };
      }
      const session = create();
      taken.add(session);
      const failure = await session.open();
      if (failure === null) return { session, kept: false };
      taken.delete(session);
      return { failure };
    },
    put(session, worn = false) {
      taken.delete(session);
      if (!session.alive()) return;
      if (closed || worn) void session.quit();
      else idle.set(session, setTimeout(() => void dismiss(session), idleMs).unref());
    },
    open: () => [...idle.keys(), ...taken].filter((session) => session.alive()).length,
    shrink(most) {
      const spare = idle.size + taken.size - most;
      for (const session of [...idle.keys()].slice(0, Math.max(0, spare))) void dismiss(session);
    },
    async close() {
      closed = true;
      await Promise.all([...Array.from(taken, (session) => session.cut()), ...Array.from(idle.keys(), dismiss)]);
    },
  };
}
