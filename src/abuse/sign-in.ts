import { createHmac } from "node:crypto";
import type { Counters } from "./counters.ts";
import { signInCaps } from "./limits.ts";

/** How often anybody may try to sign in. */
export interface SignInCaps {
  /**
   * Counts a try, true or wrong, before it is looked at, so that many at once help nobody.
   * @param network as `networkOf` has it
   * @param name as it is compared; any, whether there is such an operator or not
   * @returns seconds to wait when it is one too many, else null
   */
  admit(network: string, name: string): Promise<number | null>;
}

/** @param secret hides names and networks in the store */
export function createSignInCaps(counters: Counters, secret: string): SignInCaps {
  const pair = counters.counter("signInPair", signInCaps.pair);
  const network = counters.counter("signInNetwork", signInCaps.network);
  const name = counters.counter("signInName", signInCaps.name);
  const hide = (text: string): string => createHmac("sha256", secret).update(`sign-in:${text}`).digest("base64url");
  return {
    async admit(from, who) {
      // From the narrowest to the widest: one who is held back by a narrow cap does not use up a wide one.
      for (const [counter, key, { points }] of [
        [pair, `${from} ${who}`, signInCaps.pair],
        [network, from, signInCaps.network],
        [name, who, signInCaps.name],
      ] as const) {
        const { used, seconds } = await counter.add(hide(key));
        if (used > points) return seconds;
      }
      return null;
    },
  };
}
