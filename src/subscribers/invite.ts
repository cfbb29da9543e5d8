import { Refusal } from "../base/errors.ts";
import { writeAudit } from "../audit/audit.ts";
import { checkNewcomer, thereAlready } from "./add.ts";
import { handleSignup, type SignupDeps } from "./handle-signup.ts";
import { keepSignup } from "./signup.ts";
import { findByAddress, type Subscriber } from "./store.ts";

export interface Invitation {
  address: string;
  tags: string[];
  allTags: boolean;
  timezone: string | null;
  /** The page of the form. */
  formUrl: string | null;
  actor: string;
}

/**
 * Signs somebody up for a site's own form or an operator: the mailbox gets a confirmation email, as for any other sign-up.
 * Unlike a reader, the caller learns whether the address is subscribed or suppressed.
 * @throws Refusal 422 for a wrong address and unknown or no tags; 409 for an active or suppressed address; 429 when the
 * address was invited recently
 */
export async function inviteSubscriber(deps: SignupDeps, request: Invitation): Promise<Subscriber> {
  // An erased reader can be invited, because their confirmation will be newer than the erasure.
  const { address, key } = await checkNewcomer(deps, { ...request, agreedAt: deps.clock.now() });
  const present = await findByAddress(deps.db, key);
  if (present?.status === "active") throw thereAlready(address, present);
  await handleSignup(deps, await keepSignup(deps, { ...request, from: null }, deps.clock.now()));
  await deps.wake("send-notices", {});
  const subscriber = await findByAddress(deps.db, key);
  if (!subscriber) throw new Refusal(429, "invited_recently", { address });
  await writeAudit(deps.db, {
    at: deps.clock.now(),
    actor: request.actor,
    action: "subscriber invite",
    subject: `subscriber ${subscriber.id}`,
  });
  return subscriber;
}
