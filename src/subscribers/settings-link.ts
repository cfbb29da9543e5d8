import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { addNotice } from "./notices.ts";
import type { Subscriber } from "./store.ts";

export interface SettingsLinkDeps {
  db: Db;
  clock: Clock;
  wake: Wake;
  mayMail(addressKey: string, ticket: undefined, mail: "settings"): Promise<boolean>;
}

/**
 * Emails a reader the link to their preferences, to the address on record: for somebody who holds only the address of the
 * List-Unsubscribe header. Does nothing for a suppressed reader, and beyond the caps on mails to one address.
 */
export async function requestSettingsLink(deps: SettingsLinkDeps, reader: Subscriber): Promise<void> {
  if (reader.status === "suppressed") return;
  if (!(await deps.mayMail(reader.address.toLowerCase(), undefined, "settings"))) return;
  await addNotice(deps.db, { kind: "settings", subscriberId: reader.id, address: reader.address }, deps.clock.now());
  await deps.wake("send-notices", {});
}
