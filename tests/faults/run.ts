/**
 * `npm run test:faults`: one edition for each fault, and a table of what became of its emails. Exits with 1 if an email was
 * lost or doubled, or more are unknown than may be. tests/README.md has the options and definitions.
 */
import { parseArgs } from "node:util";
import { buildOnce } from "../support/global-setup.ts";
import { exitOnSignals } from "../support/on-exit.ts";
import { faults, runFault, type Fault, type Result } from "./faults.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    readers: { type: "string" },
    connections: { type: "string", default: "20" },
  },
});
const readers = Number(values.readers ?? (values.quick ? 5_000 : 100_000));
const connections = Number(values.connections);
const chosen: Fault[] = [];
let wrong = false;
for (const name of positionals.length === 0 ? Object.keys(faults) : positionals) {
  const fault = (faults as Record<string, Fault>)[name];
  if (fault) chosen.push(fault);
  else wrong = true;
}
if (wrong || !(readers >= 1_000) || !(connections >= 1)) {
  process.stderr.write(
    `Usage: npm run test:faults -- [--quick] [--readers N] [--connections N] [FAULT]…\nFaults: ${Object.keys(faults).join(", ")}\n`,
  );
  process.exit(2);
}

exitOnSignals();
buildOnce();
const results: Result[] = [];
let failed = false;
for (const fault of chosen) {
  process.stdout.write(`${fault.name} …\n`);
  try {
    const result = await runFault(fault, {
      readers,
      connections,
      outageMs: values.quick ? 5_000 : 15_000,
      limitMs: values.quick ? 180_000 : 900_000,
    });
    results.push(result);
    process.stdout.write(`  ${rowOf(result)}\n`);
    if (result.lost !== 0 || result.doubled !== 0 || result.unknown > result.mostUnknown) failed = true;
  } catch (error) {
    failed = true;
    process.stdout.write(`  FAILED: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
process.stdout.write(`\n${table(results)}\n\n${failed ? "FAILED" : "No email was lost or duplicated."}\n`);
process.exit(failed ? 1 : 0);

function table(rows: readonly Result[]): string {
  return [
    `Each fault in an edition of ${readers.toLocaleString("en")} emails, two workers with ${connections} connections each.`,
    "Lost: in no right state, or sent without a Message-ID at the relay. Duplicated: a Message-ID accepted again.",
    "Resume: from the end of the fault until more emails were accepted than can have been under way.",
    "",
    "| Fault | Accepted | Lost | Duplicated | Unknown (bound) | Seconds to resume | Seconds in all |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows.map(rowOf),
  ].join("\n");
}

function rowOf(row: Result): string {
  return (
    `| ${row.fault} | ${row.accepted} | ${row.lost} | ${row.doubled} | ${row.unknown} (${row.mostUnknown}) | ` +
    `${row.resumedSeconds.toFixed(1)} | ${row.seconds.toFixed(0)} |`
  );
}
