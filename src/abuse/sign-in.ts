import { createHmac } from "node:crypto";
import type { Counter, Counters } from "./caps.ts";
import { signInCaps, type Cap } from "./limits.ts";

/** The origin of an attempt. */
export interface SignInOrigin {
  /** From `networkOf`. */
  network: string;
  /** From `siteOf`. */
  site: string;
  /** The id of a browser that has signed in to this account before; null for any other browser. */
  device: string | null;
}

/** Limits on sign-in attempts. */
export interface SignInCaps {
  /**
   * Counts an attempt before the password is checked, so that parallel attempts do not get around the caps.
   * @param account the normalised name, whether there is such an operator or not
   * @returns seconds to wait above a cap, else null
   */
  admit(origin: SignInOrigin, account: string): Promise<number | null>;
  /** Counts a failed attempt. Many of them lower the cap of each network. */
  failed(origin: SignInOrigin, account: string): Promise<void>;
  /** Like `admit`, for a password that is requested within a session. Attempts elsewhere do not count. */
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
      // A known browser has caps of its own, which strangers cannot use up.
      if (origin.device !== null) return take(device, `${who} ${origin.device}`, signInCaps.device);
      const { used } = await account.look(hide(who));
      // From narrow to wide: an attempt that a narrow cap refuses does not use up a wide one.
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
