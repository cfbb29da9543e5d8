import type { OutcomeCount } from "../../deliveries/search.ts";

/** How an edition fares at one receiving domain. */
export interface DomainRow {
  domain: string;
  sent: number;
  /** Rejected, expired or unknown. */
  failed: number;
  open: number;
}

const failed = new Set(["rejected", "expired", "unknown"]);
const open = new Set(["pending", "sending", "deferred"]);

/** In the order given; what was skipped is in none of the three. */
export function domainRows(counts: readonly OutcomeCount[]): DomainRow[] {
  const rows = new Map<string, DomainRow>();
  for (const { domain, state, count } of counts) {
    if (domain === "") continue;
    const row = rows.get(domain) ?? { domain, sent: 0, failed: 0, open: 0 };
    rows.set(domain, row);
    if (state === "sent") row.sent += count;
    else if (failed.has(state)) row.failed += count;
    else if (open.has(state)) row.open += count;
  }
  return [...rows.values()];
}
