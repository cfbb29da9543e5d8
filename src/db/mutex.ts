/** A first-in-first-out lock: whoever asks first enters first, one at a time. */
export interface Mutex {
  /** Resolves when it is the caller's turn, with the function that lets the next one in (safe to call twice). */
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
