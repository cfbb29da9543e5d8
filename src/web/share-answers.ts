/** Makes those who ask while an answer is on its way share it; whoever asks after it has come gets a new one. */
export function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underway: Promise<T> | null = null;
  return () => {
    underway ??= ask().finally(() => {
      underway = null;
    });
    return underway;
  };
}
