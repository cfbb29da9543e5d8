import { createHmac } from "node:crypto";
import type { Counter, Counters } from "./counters.ts";
import { signInCaps, type Cap } from "./limits.ts";

/** Where a try comes from. */
export interface SignInOrigin {
  /** As `networkOf` has it. */
  network: string;
  /** As `siteOf` has it. */
  site: string;
  /** What tells a browser that has signed in to this account before from every other; null for any other browser. */
  device: string | null;
}

/** How often anybody may try to sign in. */
export interface SignInCaps {
  /**
   * Counts a try, right or wrong, before it is looked at, so that many at once help nobody.
   * @param account the name as it is compared; any, whether there is such an operator or not
   * @returns seconds to wait when it is one too many, else null
   */
  admit(origin: SignInOrigin, account: string): Promise<number | null>;
  /** Counts a wrong try that was admitted: many of them make the share of each network smaller. */
  failed(origin: SignInOrigin, account: string): Promise<void>;
  /** As `admit`, for a password that is asked for within a session: tries elsewhere do not count. */
  admitSession(sessionId: number): Promise<number | null>;
}

/** @param secret hides names and networks in the store */
export function createSignInCaps(counters: Counters, secret: string): SignInCaps {
  const device = counters.counter("signInDevice", signInCaps.device);
  const pair = counters.counter("signInPair", signInCaps.pair);
  const busyPair = counters.counter("signInBusyPair", signInCaps.pairBusy);
  const network = counters.counter("signInNetwork", signInCaps.network);
  const account = counters.counter("signInAccount", signInCaps.crowded);
  const hide = (text: string): string => createHmac("sha256", secret).update(`sign-in:${text}`).digest("base64url");
  const take = async (counter: Counter, key: string, { points }: Cap): Promise<number | null> => {
    const { used, seconds } = await counter.add(hide(key));
    return used > points ? seconds : null;
  };

  return {
    async admit(origin, who) {
      // No count of strangers stands in the way of a known browser, and it adds to none of theirs.
      if (origin.device !== null) return take(device, `${who} ${origin.device}`, signInCaps.device);
      const { used } = await account.look(hide(who));
      // From the narrowest to the widest: one who is held back by a narrow cap does not use up a wide one.
      let seconds = await take(pair, `${origin.network} ${who}`, signInCaps.pair);
      if (seconds === null && used >= signInCaps.busy.points) {
        const most = used >= signInCaps.crowded.points ? signInCaps.pairCrowded : signInCaps.pairBusy;
        seconds = await take(busyPair, `${origin.site} ${who}`, most);
      }
      return seconds ?? take(network, origin.network, signInCaps.network);
    },
    async failed({ device: known }, who) {
      if (known === null) await account.add(hide(who));
    },
    admitSession: (id) => take(device, `session ${id}`, signInCaps.device),
  };
}
