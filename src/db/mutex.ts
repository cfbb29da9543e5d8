/** A lock with a first-in, first-out queue. */
export interface Mutex {
  /** Resolves on the caller's turn with the function that releases the lock (safe to call twice). */
  enter(): Promise<() => void>;
}

export function createMutex(): Mutex {
  let last: Promise<void> = Promise.resolve();
  return {
    async enter() {
      const before = last;
      let leave!: () => void;
      last = new Promise((resolve) => (leave = resolve));
      await before;
      return leave;
    },
  };
}
