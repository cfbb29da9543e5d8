import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { withoutAddress } from "../base/address.ts";
import { envelopeSender } from "../mail/return-path.ts";
import type { Transport } from "../mail/transport.ts";
import type { Providers } from "../providers/providers.ts";
import type { NoticeBuilder } from "../render/notice.ts";
import { sendDue } from "../ledger/engine.ts";
import { outcomeOf, type Outcome } from "../ledger/outcome.ts";
import { hasDueNotices, type ClaimedNotice, type NoticeLedger } from "../subscribers/notices.ts";
import { composeNotice, type ComposeDeps } from "./compose.ts";

export interface SendNoticesDeps extends ComposeDeps {
  log: Log;
  transport: Transport;
  noticeLedger: NoticeLedger;
  providers: Pick<Providers, "onNoticeVerdict">;
  notices(): Promise<NoticeBuilder>;
  options: ComposeDeps["options"] & {
    unknownPolicy: "hold" | "resend";
    mailFrom: { address: string };
  };
}

/** Most notices at once, so that an edition keeps most of the connections. */
const noticesAtOnce = 20;

/** Sends all due notices by the rules of deliveries. No notice suppresses its reader (ADR 12). */
export async function sendNotices(deps: SendNoticesDeps, signal: AbortSignal): Promise<void> {
  const { db, clock, transport, noticeLedger } = deps;
  if (!(await hasDueNotices(db, clock.now()))) return;
  const builder = await deps.notices();
  await sendDue(
    {
      permits: transport,
      ledger: noticeLedger,
      request: {},
      atOnce: noticesAtOnce,
      send: (notice) => sendOne(deps, builder, notice),
    },
    signal,
  );
}

async function sendOne(deps: SendNoticesDeps, builder: NoticeBuilder, notice: ClaimedNotice): Promise<Outcome> {
  const { transport, options, clock, log } = deps;
  const { id, kind } = notice;
  const composed = await composeNotice(deps, builder, notice).catch((error: unknown) => ({ error }));
  if ("skip" in composed) {
    transport.release(1);
    log.info({ notice: id, kind, code: composed.skip }, "notice skipped");
    return { id, state: "skipped", code: composed.skip, reply: null, dueAt: null };
  }
  if ("error" in composed) {
    transport.release(1);
    const data = { error: withoutAddress(reasonOf(composed.error)) };
    log.error({ notice: id, kind, ...data }, "notice could not be composed");
    return { id, state: "rejected", code: "build_failed", data, reply: null, dueAt: null };
  }
  const verdict = await transport.send({
    from: envelopeSender(options, { kind: "notice", id }, { from: options.mailFrom.address, to: notice.address }),
    to: notice.address,
    message: composed.message,
  });
  if (verdict.kind !== "sent") {
    deps.providers.onNoticeVerdict(notice.address, verdict);
    const reply = verdict.reply && withoutAddress(verdict.reply);
    log.warn({ notice: id, ...verdict, reply }, "notice not sent");
  }
  return outcomeOf(verdict, notice, { now: clock.now(), unknownPolicy: options.unknownPolicy });
}
