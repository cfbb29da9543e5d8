import { leftOut } from "./kinds.ts";

/** Ends a run with the names of the kinds it left out and how to get them. */
export function setup(): (() => void) | undefined {
  const missing = leftOut();
  if (missing.size === 0) return undefined;
  return () => {
    for (const [kind, reason] of missing) process.stdout.write(`Left out: the ${kind} tests; ${reason}.\n`);
  };
}
