import { writeAudit } from "../audit/audit.ts";
import { parseAnyAddress, withoutAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import { parseEditionName } from "../base/edition-name.ts";
import { Refusal, type Reason } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { countAnswered } from "../deliveries/store.ts";
import { fewestGone, goneShare, tooManyGone } from "../deliveries/watches.ts";
import { getEdition, getEditionById } from "../editions/store.ts";
import { addressFingerprint, readReturnPath, type ReturnTarget } from "../mail/return-path.ts";
import { replyText } from "../mail/verdict.ts";
import { addLaterCounts } from "../providers/store.ts";
import {
  bounce,
  complaint,
  markSuppressed,
  suppress,
  type SuppressionReason,
  type SuppressionSource,
} from "../subscribers/suppressions.ts";
import { noteTestReturn } from "../subscribers/test-notices.ts";
import { bounceKind, type BounceKind } from "./bounce-kind.ts";
import { diagnosticOf } from "../mail/diagnostic.ts";
import { isGivenUp } from "./soft-row.ts";
import type { ReportSources } from "./report-sources.ts";
import {
  findHanded,
  findHandedById,
  findNoticeAddress,
  lastFates,
  lockCounts,
  recordedKind,
  writeCounts,
  writeOutcome,
  type HandedDelivery,
  type LaterOutcome,
  type OutcomeCounts,
  type OutcomeSource,
  type StoredOutcome,
} from "./store.ts";

export interface OutcomeDeps {
  db: Db;
  clock: Clock;
  options: { secret: string; bounceAddress: string | null };
  /** Looks whether an edition has suppressed too many addresses. */
  noteGone: (editionId: number, more: number) => void;
  /** Remembers that a way in has reported something. */
  noteReport: ReportSources["note"];
}

/** What somebody reports about an email. */
export interface Report {
  outcome: LaterOutcome;
  /** An enhanced status code, a reply code, or both. */
  code: string | null;
  /** The server's words. */
  text: string | null;
  /** When it happened; now if unknown. */
  at: Date | null;
  source: OutcomeSource;
  /** Whether it was read from a message for people. */
  guess: boolean;
}

export interface Recorded {
  /** False for what was recorded before. */
  changed: boolean;
  /** null for a complaint. */
  kind: BounceKind | null;
  /** Whether this report suppressed the address. */
  suppressed: boolean;
  /** The edition's id; null without one. */
  editionId: number | null;
}

/** Clocks of different servers differ by as much. */
const clockSkewMs = 5 * 60_000;
const longestCode = 50;

/**
 * Records what became of an email after the relay had accepted it, and suppresses the address if it follows: at once for a
 * complaint or an address that does not exist, and after a long row of soft bounces. When too many addresses of one edition are
 * concerned, the reports are more likely to be wrong than the list, and the addresses are spared (ADR 26). Repeating a report changes
 * nothing, but a hard bounce replaces another kind.
 * @param about the address, and the edition's name if known; otherwise the last email to it before `report.at` is meant. The return
 * path that the email came back to names both, and so does `target`, if the email was identified in another way.
 * @throws Refusal 422 for a wrong address, 404 when there is no such edition, no such reader, or no email to that reader
 */
export async function recordOutcome(
  deps: OutcomeDeps,
  about: { address: string; edition?: string | undefined; target?: ReturnTarget | undefined },
  report: Report,
): Promise<Recorded> {
  const { secret, bounceAddress } = deps.options;
  const ofPath = bounceAddress === null ? null : readReturnPath({ secret, bounceAddress }, about.address);
  const target = about.target ?? ofPath;
  const { key: addressKey } = parseAnyAddress(about.address);
  // Also what fits no email shows that the source works.
  await deps.noteReport(report.source);
  const editionId = about.edition === undefined ? null : await idOf(deps.db, about.edition);
  const now = deps.clock.now();
  const at = report.at !== null && report.at < now ? report.at : now;
  const recorded = await deps.db.transaction().execute(async (tx) => {
    if (target) {
      const found = await recordByTarget(tx, deps, target, { ...report, at }, now);
      if (found) return found;
      throw new Refusal(404, "outcome_without_email", { address: about.address });
    }
    const before = new Date(at.getTime() + clockSkewMs);
    const delivery = await findHanded(tx, { addressKey, editionId, before });
    if (delivery) return recordFor(tx, deps, delivery, { ...report, at }, now);
    // Nobody may ever be mailed again who has complained, whether they are known here or not.
    if (report.outcome === "complained") return complain(tx, deps, addressKey, report.source, now);
    throw new Refusal(404, "outcome_without_email", { address: about.address });
  });
  if (recorded.suppressed && recorded.editionId !== null) deps.noteGone(recorded.editionId, 1);
  return recorded;
}

/** @returns null if the email is not known any more */
async function recordByTarget(
  tx: Tx,
  deps: OutcomeDeps,
  target: ReturnTarget,
  report: Report & { at: Date },
  now: Date,
): Promise<Recorded | null> {
  const isSame = (address: string): boolean =>
    addressFingerprint(deps.options.secret, address).equals(target.fingerprint);
  if (target.kind === "delivery") {
    const delivery = await findHandedById(tx, target, isSame);
    return delivery && recordFor(tx, deps, delivery, report, now);
  }
  if (report.outcome === "bounced") {
    const returned = { at: now, ...saidIn(report) };
    if (await noteTestReturn(tx, target.id, returned)) return noticeBounced(report, true);
  }
  const address = await findNoticeAddress(tx, target.id);
  if (address === null || !isSame(address)) return null;
  if (report.outcome === "complained") return complain(tx, deps, address.toLowerCase(), report.source, now);
  return noticeBounced(report, false);
}

/** A notice never suppresses its address (ADR 12). */
function noticeBounced({ code, text }: Pick<Report, "code" | "text">, changed: boolean): Recorded {
  return { changed, kind: bounceKind(code, text), suppressed: false, editionId: null };
}

function saidIn({ code, text }: Pick<Report, "code" | "text">): Pick<Report, "code" | "text"> {
  return {
    code: code && withoutAddress(replyText(code).slice(0, longestCode)),
    text: text && withoutAddress(replyText(text)),
  };
}

async function idOf(db: Db, name: string): Promise<number> {
  const { date, number } = parseEditionName(name);
  return (await getEdition(db, date, number)).id;
}

async function complain(
  tx: Tx,
  { options }: OutcomeDeps,
  addressKey: string,
  source: OutcomeSource,
  now: Date,
): Promise<Recorded> {
  await markSuppressed(tx, [addressKey], now);
  const suppressed = await suppress(tx, options.secret, { addressKey, reason: complaint, detail: null, source, now });
  return { changed: suppressed, kind: null, suppressed, editionId: null };
}

async function recordFor(
  tx: Tx,
  deps: OutcomeDeps,
  delivery: HandedDelivery,
  { outcome, at, source, guess, ...said }: Report & { at: Date },
  now: Date,
): Promise<Recorded> {
  const { editionId } = delivery;
  const counts = await lockCounts(tx, editionId);
  const known = await recordedKind(tx, delivery, outcome);
  const kind = outcome === "bounced" ? bounceKind(said.code, said.text) : null;
  if (known !== null && (kind !== "hard" || known.kind === "hard")) {
    return { changed: false, kind: known.kind, suppressed: false, editionId };
  }
  const words = saidIn(said);
  // The words of a server may name an erased reader. Only their provider is unknown.
  const stored = { outcome, kind, ...words, text: delivery.provider && words.text, source, guess, at };
  await writeOutcome(tx, delivery, stored, now);
  if (known?.kind) counts[known.kind] -= 1;
  counts[kind ?? "complained"] += 1;
  const suppressed = await suppressAfter(tx, deps, delivery, stored, { counts, now });
  await writeCounts(tx, editionId, counts);
  const more = { [kind ?? "complained"]: 1, ...(known?.kind ? { [known.kind]: -1 } : {}) };
  // Last, because workers that send write the same row.
  const { provider, handedAt } = delivery;
  if (provider !== null) await addLaterCounts(tx, { provider, at: handedAt ?? now }, more);
  return { changed: true, kind, suppressed, editionId };
}

/**
 * Suppresses the reader if the outcome calls for it, and counts it in `counts`.
 * @returns whether this changed anything
 */
async function suppressAfter(
  tx: Tx,
  { options }: OutcomeDeps,
  { editionId, reader }: HandedDelivery,
  outcome: StoredOutcome,
  { counts, now }: { counts: OutcomeCounts; now: Date },
): Promise<boolean> {
  const reason = reader && (await reasonFor(tx, reader, outcome, now));
  if (!reader || !reason) return false;
  const entry = {
    addressKey: reader.addressKey,
    reason,
    detail: diagnosticOf(outcome),
    source: outcome.source,
    editionId,
  };
  return suppressUnlessMany(tx, options.secret, entry, { counts, now });
}

/**
 * Suppresses an address because of an edition's email, unless the edition has suppressed too many. Counts it in `counts`, which are
 * locked.
 * @returns whether this changed anything
 */
export async function suppressUnlessMany(
  tx: Tx,
  secret: string,
  entry: {
    addressKey: string;
    reason: SuppressionReason;
    detail: string | null;
    source: SuppressionSource;
    editionId: number;
  },
  { counts, now }: { counts: OutcomeCounts; now: Date },
): Promise<boolean> {
  const stopped = await isStopped(tx, entry.editionId, counts);
  counts.gone += 1;
  if (stopped) {
    counts.spared += 1;
    return false;
  }
  const marked = await markSuppressed(tx, [entry.addressKey], now);
  const isNew = await suppress(tx, secret, { ...entry, now });
  return isNew || marked.size > 0;
}

/** Why a reader has to be suppressed after an outcome, or null. */
async function reasonFor(
  tx: Tx,
  reader: NonNullable<HandedDelivery["reader"]>,
  { outcome, kind }: StoredOutcome,
  now: Date,
): Promise<SuppressionReason | null> {
  if (outcome === "complained") return complaint;
  // Who has left since stays as they are.
  if (!reader.active) return null;
  if (kind === "hard") return bounce;
  if (kind !== "soft") return null;
  const fates = await lastFates(tx, [reader.id]);
  return isGivenUp(fates.get(reader.id) ?? [], now) ? bounce : null;
}

/**
 * Whether an edition suppresses nobody any more: so many addresses are gone that the reports must be wrong. Almost all emails of an
 * edition have been answered by the time that the first bounces come back, unless it was stopped before its end. While it is sent, the
 * pause decides, also after its suppressions were removed.
 */
async function isStopped(tx: Tx, editionId: number, { gone }: OutcomeCounts): Promise<boolean> {
  const edition = await getEditionById(tx, editionId);
  if (!edition || edition.gone_accepted) return false;
  const { state, selected, reason_code: reason } = edition;
  if (state === "paused" && (reason === "many_addresses_gone" || reason === "suppressions_removed")) return true;
  if (gone < fewestGone(selected)) return false;
  const isCut = state === "paused" || state === "cancelled";
  const answered = isCut ? await countAnswered(tx, editionId, gone * goneShare) : selected;
  return tooManyGone({ gone, answered, mails: selected });
}

/** One line of a list of reports. */
export interface ReportLine extends Omit<Report, "source" | "guess"> {
  address: string;
  edition?: string | undefined;
  target?: ReturnTarget | undefined;
}

export type RecordedLine =
  | (Omit<Recorded, "changed"> & { result: "recorded" | "unchanged"; reason: null })
  | {
      result: "refused";
      reason: Reason;
    };

/** Records a list of reports from a program. A line that is refused does not affect the others. @returns a result for each, in order */
export async function recordOutcomes(
  deps: OutcomeDeps,
  lines: readonly ReportLine[],
  { actor, source }: { actor: string; source: OutcomeSource },
): Promise<RecordedLine[]> {
  const results: RecordedLine[] = [];
  for (const { address, edition, target, ...report } of lines) {
    results.push(await recordLine(deps, { address, edition, target }, { ...report, source, guess: false }));
  }
  const recorded = results.filter(({ result }) => result === "recorded").length;
  if (recorded > 0) {
    const suppressed = results.filter((one) => one.result !== "refused" && one.suppressed).length;
    const entry = { at: deps.clock.now(), actor, action: "outcomes record", subject: "outcomes" } as const;
    await writeAudit(deps.db, { ...entry, detail: { source, recorded, suppressed } });
  }
  return results;
}

async function recordLine(
  deps: OutcomeDeps,
  about: Parameters<typeof recordOutcome>[1],
  report: Report,
): Promise<RecordedLine> {
  try {
    const { changed, ...recorded } = await recordOutcome(deps, about, report);
    return { result: changed ? "recorded" : "unchanged", ...recorded, reason: null };
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === null) throw error;
    return { result: "refused", reason: { code: error.code, details: error.details } };
  }
}
