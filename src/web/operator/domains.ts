import type { OutcomeCount } from "../../deliveries/search.ts";
import { number } from "./format.ts";

/** Formatted delivery counts of an edition for one receiving domain. */
export interface ShownDomain {
  domain: string;
  sent: string;
  /** Rejected, expired or unknown. */
  failed: string;
  open: string;
}

const failed = new Set(["rejected", "expired", "unknown"]);
const open = new Set(["pending", "sending", "deferred"]);

/** Keeps the given order. Skipped deliveries are in none of the counts. */
export function domainRows(counts: readonly OutcomeCount[]): ShownDomain[] {
  const rows = new Map<string, { sent: number; failed: number; open: number }>();
  for (const { domain, state, count } of counts) {
    if (domain === "") continue;
    const row = rows.get(domain) ?? { sent: 0, failed: 0, open: 0 };
    rows.set(domain, row);
    if (state === "sent") row.sent += count;
    else if (failed.has(state)) row.failed += count;
    else if (open.has(state)) row.open += count;
  }
  return [...rows].map(([domain, row]) => ({
    domain,
    sent: number(row.sent),
    failed: number(row.failed),
    open: number(row.open),
  }));
}
