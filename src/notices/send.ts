import { setTimeout as wait } from "node:timers/promises";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { withoutAddress } from "../base/mask-address.ts";
import { outcomeOf } from "../mail/outcome.ts";
import type { Transport } from "../mail/transport.ts";
import type { NoticeBuilder } from "../render/notice.ts";
import { composeNotice, type ComposeDeps } from "./compose.ts";
import {
  claimNotices,
  hasDueNotices,
  settleNotices,
  type ClaimedNotice,
  type NoticeOutcome,
} from "../subscribers/notices.ts";

export interface SendNoticesDeps extends ComposeDeps {
  log: Log;
  transport: Transport;
  /** This process's row in `senders`. */
  sender: string;
  notices(): Promise<NoticeBuilder>;
  options: ComposeDeps["options"] & { unknownPolicy: "hold" | "resend"; mailFrom: { address: string } };
}

const atOnce = 20;
const settleTries = 6;
const settleRetryMs = 1_000;

/**
 * Sends all due notices by the rules of deliveries: the claim is committed before SMTP sees the email, the outcome after
 * it, and a notice without an answer from the relay is not resent automatically. No notice suppresses its reader (ADR 12).
 */
export async function sendNotices(deps: SendNoticesDeps, signal: AbortSignal): Promise<void> {
  const { db, clock, transport, sender } = deps;
  if (!(await hasDueNotices(db, clock.now()))) return;
  const builder = await deps.notices();
  for (;;) {
    let spare = await transport.reserve(Math.min(transport.connections, atOnce), signal);
    if (spare === 0) return;
    let claimed: ClaimedNotice[];
    try {
      claimed = await claimNotices(db, { sender, count: spare, now: clock.now() });
      spare -= claimed.length;
    } finally {
      transport.release(spare);
    }
    if (claimed.length === 0) return;
    const outcomes = await Promise.all(claimed.map((notice) => sendOne(deps, builder, notice)));
    await settle(deps, outcomes, 1);
  }
}

async function sendOne(deps: SendNoticesDeps, builder: NoticeBuilder, notice: ClaimedNotice): Promise<NoticeOutcome> {
  const { transport, options, clock, log } = deps;
  const { id, kind } = notice;
  const composed = await composeNotice(deps, builder, notice).catch((error: unknown) => ({ error }));
  if ("skip" in composed) {
    transport.release(1);
    log.info({ notice: id, kind, reason: composed.skip }, "notice skipped");
    return { id, state: "skipped", reason: composed.skip, reply: null, dueAt: null };
  }
  if ("error" in composed) {
    transport.release(1);
    const reply = reasonOf(composed.error);
    log.error({ notice: id, kind, reason: reply }, "notice could not be composed");
    return { id, state: "rejected", reason: "build_failed", reply, dueAt: null };
  }
  const verdict = await transport.send({
    from: options.mailFrom.address,
    to: notice.address,
    message: composed.message,
  });
  if (verdict.kind !== "sent") {
    log.warn({ notice: id, ...verdict, reply: withoutAddress(verdict.reply) }, "notice not sent");
  }
  return outcomeOf(verdict, notice, { now: clock.now(), unknownPolicy: options.unknownPolicy });
}

/** Retries, so that a short database outage does not turn delivered notices into unknown ones. */
async function settle(deps: SendNoticesDeps, outcomes: readonly NoticeOutcome[], attempt: number): Promise<void> {
  const { db, clock, sender, log } = deps;
  try {
    await db.transaction().execute((tx) => settleNotices(tx, sender, outcomes, clock.now()));
  } catch (error) {
    if (attempt === settleTries) throw error;
    log.error({ outcomes: outcomes.length, reason: reasonOf(error) }, "outcomes could not be recorded, retrying");
    await wait(settleRetryMs);
    await settle(deps, outcomes, attempt + 1);
  }
}
