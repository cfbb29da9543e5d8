import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { withoutAddress } from "../base/mask-address.ts";
import type { Transport } from "../mail/transport.ts";
import type { Verdict } from "../mail/verdict.ts";
import type { Ledger } from "./ledger.ts";
import { outcomeOf } from "../mail/outcome.ts";
import type { MessageBuilder } from "../editions/message-builder.ts";
import type { ClaimedDelivery } from "./claims.ts";

export interface DeliverDeps {
  clock: Clock;
  log: Log;
  transport: Transport;
  ledger: Ledger;
  /** The builder of an edition, or null while it is not rendered. */
  builder(editionId: number): Promise<MessageBuilder | null>;
  /** Hears of every verdict, to notice a relay that refuses everything. */
  watch(editionId: number, verdict: Verdict): void;
  options: { unknownPolicy: "hold" | "resend" };
}

/**
 * Sends what is due of a slice: claims as many deliveries as connections are free, commits, sends them, and goes on
 * while the outcomes of the last ones travel with the next claim. Ends when nothing is due, the edition is paused, or
 * `signal` aborts. What is in flight is always settled, but a relay that keeps one mail for minutes does not keep the
 * next slice waiting.
 * @returns how many were handed to the relay
 */
export async function deliverSlice(
  deps: DeliverDeps,
  slice: { editionId: number; slice: number },
  signal: AbortSignal,
): Promise<number> {
  const builder = await deps.builder(slice.editionId);
  if (!builder) return 0;
  const inFlight = new Set<Promise<void>>();
  let handed = 0;
  try {
    for (;;) {
      const permits = await deps.transport.reserve(deps.transport.connections, signal);
      if (permits === 0) break;
      const { claimed, skipped, asked } = await claimWithin(deps, slice, permits);
      if (claimed.length + skipped === 0 && asked > 0) break;
      handed += claimed.length;
      for (const delivery of claimed) {
        const sending = sendOne(deps, builder, slice, delivery).finally(() => inFlight.delete(sending));
        inFlight.add(sending);
      }
    }
  } finally {
    const all = Promise.all(inFlight);
    await (signal.aborted ? all : Promise.race([all, wait(lingerMs, null, { ref: false })]));
    await deps.ledger.flush();
  }
  deps.log.debug({ edition: slice.editionId, slice: slice.slice, handed }, "slice worked");
  return handed;
}

const lingerMs = 1_000;
/** About what a transaction costs; waiting as long for more connections to come free is worth it. */
const gatherMs = 2;

/**
 * Claims a delivery for each permit, and for each that has come free while the database was busy: the fuller a
 * transaction, the fewer there are. Gives back the permits that were not needed.
 */
async function claimWithin(
  { ledger, transport }: DeliverDeps,
  slice: { editionId: number; slice: number },
  permits: number,
): ReturnType<Ledger["claim"]> {
  let spare = permits;
  try {
    if (spare * 2 < transport.connections) await wait(gatherMs);
    const count = (): number => (spare += transport.more(transport.connections - spare));
    const answer = await ledger.claim({ ...slice, count });
    spare -= answer.claimed.length;
    return answer;
  } finally {
    transport.release(spare);
  }
}

async function sendOne(
  deps: DeliverDeps,
  builder: MessageBuilder,
  { editionId, slice }: { editionId: number; slice: number },
  delivery: ClaimedDelivery,
): Promise<void> {
  const verdict = await handOver(deps, builder, delivery);
  const now = deps.clock.now();
  deps.ledger.record(outcomeOf(verdict, delivery, { now, unknownPolicy: deps.options.unknownPolicy }));
  deps.watch(editionId, verdict);
  const fields = { edition: editionId, slice, delivery: delivery.id };
  if (verdict.kind === "sent") deps.log.debug(fields, "sent");
  else deps.log.warn({ ...fields, ...verdict, reply: withoutAddress(verdict.reply) }, "not sent");
}

async function handOver(
  { transport, clock }: DeliverDeps,
  builder: MessageBuilder,
  delivery: ClaimedDelivery,
): Promise<Verdict> {
  let message: Buffer;
  try {
    message = builder.print(delivery, clock.now());
  } catch (error) {
    transport.release(1);
    return { kind: "rejected", scope: "message", reply: `The mail could not be made: ${reasonOf(error)}` };
  }
  return transport.send({ from: builder.from, to: delivery.address, message });
}
