/** Node 24 takes some 600 MB for a moment to compile one function of the embedded engine, Node 20 and 22 take 25 MB for it. */
const spare = Number.parseInt(process.versions.node, 10) < 24 ? 0 : 600e6;

/** @returns what a process with the embedded engine may take, in bytes @param usual in Node 20 and 22 */
export function memoryLimit(usual: number): number {
  return usual + spare;
}
