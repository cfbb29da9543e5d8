import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { domainOf, withoutAddress } from "../base/address.ts";
import type { MessageBuilder } from "../editions/message-builder.ts";
import type { Transport } from "../mail/transport.ts";
import type { Verdict } from "../mail/verdict.ts";
import { sendDue } from "../ledger/engine.ts";
import { outcomeOf } from "../ledger/outcome.ts";
import type { Flight } from "../providers/flights.ts";
import type { Providers } from "../providers/providers.ts";
import type { ClaimedDelivery, DeliveryLedger, DeliveryOutcome } from "./claims.ts";

export interface DeliverDeps {
  clock: Clock;
  log: Log;
  transport: Transport;
  ledger: DeliveryLedger;
  /** The builder of an edition, or null while it is not rendered. */
  builder(editionId: number): Promise<MessageBuilder | null>;
  providers: Providers;
  /** Called with every verdict, to notice a relay that refuses everything. @returns whether the edition is being paused */
  watch(editionId: number, provider: string, verdict: Verdict): boolean;
  options: { unknownPolicy: "hold" | "resend" };
}

/**
 * Sends what is due of a slice. Ends when nothing is due, the edition is paused, or `signal` aborts; also when all that is due
 * waits for its providers, so that other slices can go on.
 * @returns how many were handed to the relay
 */
export async function deliverSlice(
  deps: DeliverDeps,
  slice: { editionId: number; slice: number },
  signal: AbortSignal,
): Promise<number> {
  const builder = await deps.builder(slice.editionId);
  if (!builder) return 0;
  const { providers, ledger } = deps;
  let heldBack: readonly string[] = [];
  const refused = new AbortController();
  const handed = await sendDue(
    {
      permits: deps.transport,
      ledger: {
        ...ledger,
        async claim(request) {
          await providers.refresh();
          const claims = await ledger.claim(request);
          claims.claimed.forEach(providers.begin);
          heldBack = claims.heldBack ?? [];
          return claims;
        },
        giveBack(ids) {
          ids.forEach(providers.drop);
          return ledger.giveBack(ids);
        },
      },
      request: { ...slice, rooms: providers.rooms },
      lingerMs: 1_000,
      turns: {
        mayBeSent: (delivery) => providers.mayBeSent(delivery),
        awaits: (delivery, units) =>
          units.includes(delivery.unit) && providers.mayBeSent(delivery) && providers.isPrompt(delivery),
        isSlow: (delivery) => !providers.isPrompt(delivery),
      },
      send: (delivery) => sendOne(deps, builder, slice, delivery, () => refused.abort()),
    },
    // The pause is not committed yet, and everything that is sent until then would be refused too.
    AbortSignal.any([signal, refused.signal]),
  );
  if (!signal.aborted) await providers.park(slice, heldBack);
  deps.log.debug({ edition: slice.editionId, slice: slice.slice, handed }, "slice processed");
  return handed;
}

async function sendOne(
  deps: DeliverDeps,
  builder: MessageBuilder,
  { editionId, slice }: { editionId: number; slice: number },
  delivery: ClaimedDelivery,
  stop: () => void,
): Promise<DeliveryOutcome> {
  const { transport, clock, log, options } = deps;
  const fields = { edition: editionId, slice, delivery: delivery.id };
  let message: Buffer;
  try {
    message = builder.print(delivery, clock.now());
  } catch (error) {
    transport.release(1);
    deps.providers.drop(delivery.id);
    const data = { error: withoutAddress(reasonOf(error)) };
    log.warn({ ...fields, code: "build_failed", ...data }, "not sent");
    return { id: delivery.id, editionId, state: "rejected", code: "build_failed", data, reply: null, dueAt: null };
  }
  deps.providers.start(delivery.id);
  const mail = { from: builder.from(delivery), to: delivery.address, message, undotted: true };
  const verdict = await transport.send(mail);
  deps.providers.onVerdict(flightOf(delivery), verdict, { editionId, slice });
  if (deps.watch(editionId, delivery.provider, verdict)) stop();
  if (verdict.kind === "sent") log.debug(fields, "sent");
  else log.warn({ ...fields, ...verdict, reply: verdict.reply && withoutAddress(verdict.reply) }, "not sent");
  const outcome = outcomeOf(verdict, delivery, { now: clock.now(), unknownPolicy: options.unknownPolicy });
  return { ...outcome, editionId };
}

/** The reader may have changed their address since the freeze. */
function flightOf({ id, unit, address, domain, provider }: ClaimedDelivery): Flight {
  const now = domainOf(address);
  return now === domain ? { id, unit, domain, provider } : { id, unit, domain: now, provider: now };
}
