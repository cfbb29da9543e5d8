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
 * Emails the link to the preferences to the reader's address, for somebody who has only the List-Unsubscribe link. Does
 * nothing for a suppressed reader and above the caps for one address.
 */
export async function requestSettingsLink(deps: SettingsLinkDeps, reader: Subscriber): Promise<void> {
  if (reader.status === "suppressed") return;
  if (!(await deps.mayMail(reader.address.toLowerCase(), undefined, "settings"))) return;
  await addNotice(deps.db, { kind: "settings", subscriberId: reader.id, address: reader.address }, deps.clock.now());
  await deps.wake("send-notices", {});
}
