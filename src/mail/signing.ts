import { Semaphore } from "async-mutex";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { dkimSignatures, type DkimKey } from "./dkim.ts";
import type { Transport } from "./transport.ts";

/**
 * A transport that signs every message before it hands it to `transport`. Without keys it is that transport. A message that
 * cannot be signed is deferred: it is never sent without a signature.
 */
export function signing(transport: Transport, keys: readonly DkimKey[], deps: { clock: Clock; log: Log }): Transport {
  if (keys.length === 0) return transport;
  const atOnce = new Semaphore(transport.connections);
  return {
    ...transport,
    async send(mail) {
      let signatures: Buffer;
      try {
        signatures = await atOnce.runExclusive(() => dkimSignatures(keys, mail.message, deps.clock.now()));
      } catch (error) {
        transport.release(1);
        deps.log.error({ reason: reasonOf(error) }, "email could not be signed");
        return { kind: "deferred", scope: "relay", reply: null, code: "not_signed" };
      }
      return transport.send({ ...mail, signatures });
    },
  };
}
