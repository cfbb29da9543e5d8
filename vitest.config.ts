import { defineConfig } from "vitest/config";
import { kinds, leftOut } from "./tests/support/kinds.ts";

const missing = leftOut();

export default defineConfig({
  test: {
    globalSetup: "tests/support/left-out.ts",
    maxWorkers: 2,
    projects: kinds
      .filter((kind) => !missing.has(kind))
      .map((name) => ({
        test: {
          name,
          include: [`tests/${name}/**/*.test.ts`],
          // Benchmarks need no kind of their own: they run once, with the first one.
          benchmark: { include: [name === "unit" ? "tests/bench/**/*.bench.ts" : "tests/none"] },
          // A file closes all that it opens and keeps no state, so that files can share what they import.
          isolate: false,
          testTimeout: { unit: 10_000, browser: 90_000 }[name as string] ?? 30_000,
          hookTimeout: 60_000,
          // Unit tests run from source; the other kinds also start the built program.
          ...(name === "unit" ? {} : { globalSetup: "tests/support/global-setup.ts" }),
        },
      })),
  },
});
