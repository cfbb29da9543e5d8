import { defineConfig } from "vitest/config";
import { kinds, leftOut } from "./tests/support/kinds.ts";

const missing = leftOut();
const report = process.env["TEST_REPORT"];

export default defineConfig({
  test: {
    globalSetup: "tests/support/left-out.ts",
    reporters: [
      "default",
      "./tests/support/second-tries.ts",
      ...(report === undefined ? [] : [["json", { outputFile: report }] as ["json", { outputFile: string }]]),
    ],
    // For the two cores of CI. Many tests only wait for a server, a heartbeat or a pause, so a third file fits beside two.
    maxWorkers: 3,
    projects: kinds
      .filter((kind) => !missing.kinds.has(kind))
      .map((name) => ({
        test: {
          name,
          include: [`tests/${name}/**/*.test.ts`],
          exclude: [...missing.files.keys()].map((file) => `tests/${file}`),
          // Benchmarks need no kind of their own: they run once, with the first one.
          benchmark: { include: [name === "unit" ? "tests/bench/**/*.bench.ts" : "tests/none"] },
          // A file closes all that it opens and keeps no state, so that files can share what they import.
          isolate: false,
          testTimeout: { unit: 30_000, browser: 90_000 }[name as string] ?? 60_000,
          hookTimeout: 60_000,
          // CI's machine is sometimes busy. Tests that pass only on the second try are named at the end of the run.
          retry: name !== "unit" && process.env["CI"] === "true" ? 1 : 0,
          // Unit tests run from source; the other kinds also start the built program.
          ...(name === "unit" ? {} : { globalSetup: "tests/support/global-setup.ts" }),
        },
      })),
  },
});
