import type { Reporter, TestCase } from "vitest/node";

/** Ends a run with the names of the tests that failed at first and passed when they were tried again. */
export default class SecondTries implements Reporter {
  readonly #names: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky === true) this.#names.push(`${test.module.relativeModuleId}: ${test.fullName}`);
  }

  onTestRunEnd(): void {
    for (const name of this.#names) process.stdout.write(`Passed only on the second try: ${name}\n`);
  }
}
