/** What ends processes, and then what tidies up after them, as that takes longer. */
const ends = new Set<() => void>();
const removals = new Set<() => void>();

process.on("exit", () => {
  for (const act of [...ends, ...removals]) act();
});

/**
 * Registers what is to be done for a server or program of this process if it exits without doing so itself, for example
 * after Ctrl-C. All are ended before the first folder is removed. A supervisor may kill this process while a folder is being removed.
 * @returns forgets it
 */
export function onExit(act: { end?: () => void; remove?: () => void }): () => void {
  const { end, remove } = act;
  if (end) ends.add(end);
  if (remove) removals.add(remove);
  return () => {
    if (end) ends.delete(end);
    if (remove) removals.delete(remove);
  };
}

/** Makes SIGINT and SIGTERM exit, so that what is registered ends. */
export function exitOnSignals(): void {
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
