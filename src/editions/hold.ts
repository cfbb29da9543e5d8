import type { Tx } from "../db/schema.ts";
import { countStates } from "../deliveries/store.ts";
import type { Edition } from "./store.ts";
import type { Stencil } from "../render/types.ts";
import { brokenOnly, type CheckDeps, type CheckedLink, checkedLinks, checkLinks, editionLinks } from "./links.ts";
import { preSendFindings } from "./pre-send-checks.ts";
import { loadPreSendFacts } from "./pre-send-facts.ts";
import { type Reason, reasonOfEdition } from "../db/edition-reason.ts";

export interface HoldOptions {
  approval: "off" | "hold" | "send";
  approvalMinutes: number;
  preSendChecks: "on" | "off";
  /** Whether the pre-send checks request the pages that the articles link to. */
  checkLinks: boolean;
}

export interface Hold {
  reason: Reason;
  /** When the edition stops waiting for approval; null for never. */
  approveBy: Date | null;
}

const minuteMs = 60_000;

/**
 * Why a rendered edition must not be sent yet; null when it may be. Findings of the pre-send checks wait for a person,
 * whatever the deadline says. An edition that an operator sends by hand is approved by that. Do not call this inside a
 * transaction: the checks request the articles' pages, which takes seconds.
 */
export async function whyHeld(
  deps: CheckDeps & { options: HoldOptions },
  { edition, stencil, signal }: { edition: Edition; stencil: Stencil; signal?: AbortSignal | undefined },
): Promise<Hold | null> {
  const { db, clock, options } = deps;
  if (edition.approved_by !== null) return null;
  const now = edition.frozen_at ?? clock.now();
  if (options.preSendChecks === "on") {
    const ask = options.checkLinks && edition.selected > 0;
    const links = ask ? await checkLinks(deps, await editionLinks(db, edition.id), { again: false, signal }) : [];
    const findings = preSendFindings(
      await loadPreSendFacts(db, { ...edition, stencil, broken: brokenOnly(links), now }),
    );
    if (findings.length > 0) return { reason: { code: "held_by_checks", data: { findings } }, approveBy: null };
  }
  if (options.approval === "off" || edition.selected === 0) return null;
  // A full minute, because texts show no seconds.
  const frozen = Math.floor(now.getTime() / minuteMs);
  const approveBy = new Date((frozen + options.approvalMinutes) * minuteMs);
  const { approval: afterwards } = options;
  const data = { until: approveBy.toISOString(), timezone: edition.timezone, afterwards };
  return { reason: { code: "waiting_for_approval", data }, approveBy };
}

/**
 * The reason of a held edition after an editor changed it or checked its links. An edition with no findings left stays
 * held until somebody approves it.
 * @param links the links as just checked; otherwise the stored checks count
 */
export async function reasonNow(
  tx: Tx,
  edition: Edition,
  stencil: Stencil,
  links?: CheckedLink[],
): Promise<Reason | null> {
  const reason = reasonOfEdition(edition);
  if (reason?.code !== "held_by_checks") return reason;
  const checked = links ?? (await checkedLinks(tx, await editionLinks(tx, edition.id)));
  const { pending } = await countStates(tx, edition);
  const facts = { ...edition, selected: pending, stencil, broken: brokenOnly(checked), now: edition.frozen_at! };
  return { code: "held_by_checks", data: { findings: preSendFindings(await loadPreSendFacts(tx, facts)) } };
}
