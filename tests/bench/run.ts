/**
 * `npm run bench`: measures Dayletter beside what it is compared with, prints the tables, and writes docs/performance.md and its
 * chart. With names, it runs those benchmarks of single parts instead. tests/README.md has the options.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot } from "../../src/package-root.ts";
import { buildOnce } from "../support/global-setup.ts";
import { exitOnSignals } from "../support/on-exit.ts";
import { chart } from "./chart.ts";
import { measureAll, plans, profileLarge, type Plan } from "./measures.ts";
import { hottest } from "./profile.ts";
import { perSecond } from "./product.ts";
import { bars, report } from "./report.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
  },
});

if (positionals.length > 0) {
  const { status } = spawnSync("npx", ["vitest", "bench", "--run", ...positionals], {
    stdio: "inherit",
    cwd: packageRoot,
  });
  process.exit(status ?? 1);
}

const plan: Plan = { ...(values.quick ? plans.quick : plans.normal), ...(values.full ? { largest: 1_000_000 } : {}) };
const begun = performance.now();
const say = (line: string): void => {
  process.stdout.write(`${String(Math.round((performance.now() - begun) / 1_000)).padStart(4)} s  ${line}\n`);
};
exitOnSignals();
buildOnce();
await (values.profile ? profile() : measureEverything());

async function measureEverything(): Promise<void> {
  const findings = await measureAll(plan, say);
  const text = report(findings);
  process.stdout.write(`\n${text}\n\n`);
  if (values.quick) return say("A quick run leaves docs/performance.md as it is.");
  writeFileSync(
    join(packageRoot, "docs/images/performance.svg"),
    chart(bars(findings), findings.course, plan.largest ?? plan.large),
  );
  const page = join(packageRoot, "docs/performance.md");
  const old = readFileSync(page, "utf8");
  writeFileSync(
    page,
    old.replace(/(<!-- results -->\n)[^]*(\n<!-- \/results -->)/, (_, from, to) => `${from}\n${text}\n${to}`),
  );
  say("Wrote docs/performance.md and docs/images/performance.svg.");
}

async function profile(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-profile-"));
  const measured = await profileLarge(plan, say, folder);
  const { cpu, emails } = measured;
  const lines = [
    `${emails} emails, ${Math.round(perSecond(measured))}/s while profiled, without DKIM`,
    ...Object.entries(cpu).map(([group, ms]) => `${group}: ${(ms / emails).toFixed(3)} ms of CPU for each email`),
    ...hottest(folder, 25).map(({ name, share }) => `${(share * 100).toFixed(1).padStart(5)} %  ${name}`),
    `Profiles: ${folder}`,
  ];
  process.stdout.write(`\n${lines.join("\n")}\n`);
}
