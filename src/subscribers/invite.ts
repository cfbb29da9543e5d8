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
  /** The site's page on which the reader asked. */
  formUrl: string | null;
  actor: string;
}

/**
 * Signs somebody up for a site's own form or an operator: the mailbox is asked to confirm, as for any other sign-up.
 * Unlike a reader, whoever has a token is told how things stand.
 * @throws Refusal 422 for a wrong address, unknown tags or none; 409 for an active or suppressed address; 429 when the
 * address was asked too often
 */
export async function inviteSubscriber(deps: SignupDeps, request: Invitation): Promise<Subscriber> {
  // Whoever was erased is asked like anybody else: a yes of the mailbox is newer than that.
  const { address, key } = await checkNewcomer(deps, { ...request, agreedAt: deps.clock.now() });
  const present = await findByAddress(deps.db, key);
  if (present?.status === "active") throw thereAlready(address, present);
  await handleSignup(deps, await keepSignup(deps, { ...request, from: null }, deps.clock.now()));
  await deps.wake("send-notices", {});
  const subscriber = await findByAddress(deps.db, key);
  if (!subscriber)
    throw new Refusal(429, `${address} was asked to confirm lately: wait an hour before it is asked again.`);
  await writeAudit(deps.db, {
    at: deps.clock.now(),
    actor: request.actor,
    action: "subscriber invite",
    subject: `subscriber ${subscriber.id}`,
  });
  return subscriber;
}
