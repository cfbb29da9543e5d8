/** Waits for SIGINT or SIGTERM. The first signal stops the process in order, the second one immediately. */
export function listenForStop(): { stop: Promise<void>; stopped(): boolean; forget(): void } {
  let stopped = false;
  let resolve: () => void;
  const stop = new Promise<void>((done) => (resolve = done));
  const hear = (signal: NodeJS.Signals): void => {
    if (stopped) process.exit(signal === "SIGINT" ? 130 : 143);
    stopped = true;
    resolve();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, hear);
  return {
    stop,
    stopped: () => stopped,
    forget: () => signals.forEach((signal) => process.off(signal, hear)),
  };
}
