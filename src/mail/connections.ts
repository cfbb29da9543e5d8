import type { Session } from "./session.ts";
import type { SmtpFailure } from "./verdict.ts";

/** The connections to the relay: one for each mail under way, and the idle ones that wait for the next. */
export interface ConnectionPool {
  /** The idle connection used last, or a new one; always a new one if `fresh`. */
  take(fresh: boolean): Promise<{ session: Session; kept: boolean } | { failure: SmtpFailure }>;
  /** Takes a connection back after a mail, whatever became of it; a worn one is used no more. */
  put(session: Session, worn?: boolean): void;
  /** How many connections there are. */
  open(): number;
  /** Says goodbye on idle connections and cuts the others. */
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
    async close() {
      closed = true;
      for (const session of taken) session.cut("the connection was cut because the service is stopping");
      await Promise.all(Array.from(idle.keys(), dismiss));
    },
  };
}
