import { leftOut } from "./kinds.ts";

/** Ends a run with the names of the kinds and files it left out and how to get them. */
export function setup(): (() => void) | undefined {
  const { kinds, files } = leftOut();
  if (kinds.size + files.size === 0) return undefined;
  return () => {
    for (const [kind, reason] of kinds) process.stdout.write(`Left out: the ${kind} tests; ${reason}.\n`);
    for (const [file, reason] of files) process.stdout.write(`Left out: tests/${file}; ${reason}.\n`);
  };
}
