#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";

/**
 * How far the heap may grow above what the last full collection left. Emails live just long enough to reach the old generation,
 * and V8's own limit would let 100 MB of dead ones pile up there. A worker is no slower with this one (`npm run bench`).
 */
const heapGrowthPercent = 60;

setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
// The program is loaded after that, because V8 sets the next limit when it collects.
const { main } = await import("./cli/main.ts");
await main(process.argv.slice(2));
