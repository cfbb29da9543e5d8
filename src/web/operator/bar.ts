import type { Balance } from "../../editions/state.ts";
import { number } from "./format.ts";

/** A part of an edition's bar. `x` and `width` are percentages. */
export interface BarPart {
  kind: "sent" | "failed" | "unknown" | "skipped" | "waiting";
  label: string;
  count: string;
  x: string;
  width: string;
}

/** An edition's deliveries by outcome, as parts of one bar. */
export function barOf(balance: Balance): BarPart[] {
  const parts = [
    ["sent", "Sent", balance.sent],
    ["failed", "Rejected or expired", balance.rejected + balance.expired],
    ["unknown", "Unknown", balance.unknown],
    ["skipped", "Skipped", balance.skipped],
    ["waiting", "Remaining", balance.pending + balance.sending + balance.deferred],
  ] as const;
  const total = Math.max(
    1,
    parts.reduce((sum, [, , n]) => sum + n, 0),
  );
  let before = 0;
  return parts.map(([kind, label, n]) => {
    const part = { kind, label, count: number(n), x: percent(before / total), width: percent(n / total) };
    before += n;
    return part;
  });
}

function percent(share: number): string {
  return (share * 100).toFixed(2);
}
