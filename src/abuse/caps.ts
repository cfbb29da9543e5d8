import { createHmac } from "node:crypto";
import { Refusal } from "../base/errors.ts";
import { shared } from "../base/share-answers.ts";
import type { Count, Counters } from "./counters.ts";
import { busyShare, caps, challengeSeconds, testMailCap } from "./limits.ts";

/** Why a sign-up must wait: too many from its network, or too many in all. */
export interface Wait {
  reason: "network" | "site";
  seconds: number;
}

/**
 * A mail to an address that has not proven to want it: one that asks for a yes, the sample copy of an edition, or the link
 * to a reader's settings, which whoever holds the address of the List-Unsubscribe header can ask for.
 */
export type UnprovenMail = "confirmation" | "sample" | "settings";

/** What strangers may make the publication send. */
export interface Caps {
  /** Counts a sign-up, unless it is one too many. `network` as `networkOf` has it. */
  admit(network: string, proven: boolean): Promise<Wait | null>;
  /** Counts a form without its time, in its own caps. @returns false when it is one too many of those */
  admitBare(network: string): Promise<boolean>;
  /** Whether a form shown now should ask for a proof of work. */
  busy(network: string): Promise<boolean>;
  /** Whether even solved challenges come in great numbers. */
  strained(): Promise<boolean>;
  /** Notes that a solved challenge was used. @returns false when it was before */
  spend(proof: string): Promise<boolean>;
  /**
   * Counts a mail to an address that has not asked for it yet.
   * @param ticket names what is asked for: who asks again for the same, after a crash, gets the same yes
   * @param mail each kind has its own hour, so that who has looked at a sample copy can sign up at once
   * @returns false when it must not be sent
   */
  mayMail(addressKey: string, ticket?: string, mail?: UnprovenMail): Promise<boolean>;
  /**
   * Counts a test email of an operator: a sample copy to an address they choose, or a test alert.
   * @param actor the operator's or the token's name
   * @throws Refusal 429 for one too many
   */
  countTest(actor: string): Promise<void>;
}

const site = "all";

/** @param secret hides addresses and networks in the store: neither is kept there in the clear */
export function createCaps(counters: Counters, secret: string): Caps {
  const count = (name: keyof typeof caps) => counters.counter(name, caps[name]);
  const addressHour = {
    confirmation: count("addressHour"),
    sample: counters.counter("sampleHour", caps.addressHour),
    settings: counters.counter("settingsHour", caps.addressHour),
  };
  const addressDay = count("addressDay");
  const lanes = {
    plain: { network: count("plainNetwork"), site: count("plainSite"), caps: [caps.plainNetwork, caps.plainSite] },
    proven: { network: count("provenNetwork"), site: count("provenSite"), caps: [caps.provenNetwork, caps.provenSite] },
  } as const;
  // Every form that is shown asks for it.
  const allNow = shared(() => lanes.plain.site.look(site));
  const bareNetwork = count("bareNetwork");
  const bareSite = count("bareSite");
  const tests = counters.counter("testMail", testMailCap);
  const proofs = counters.counter("proof", { points: 1, seconds: challengeSeconds });
  const tickets = counters.counter("ticket", caps.addressHour);
  const hide = (text: string): string => createHmac("sha256", secret).update(`caps:${text}`).digest("base64url");
  const half = (cap: { points: number }): number => cap.points * busyShare;

  return {
    async admit(network, proven) {
      const { caps: most, ...lane } = proven ? lanes.proven : lanes.plain;
      const all = await lane.site.look(site);
      // Before the network is counted, so that a flood from many networks leaves no row for each.
      if (all.used >= most[1].points) return wait("site", all);
      const own = await lane.network.add(hide(network));
      // The second half of the site's cap is for networks that have not had any: what a single script sends from a few
      // networks then shuts out nobody else, with or without JavaScript.
      const crowded = !proven && all.used >= half(most[1]);
      if (own.used > (crowded ? 1 : most[0].points)) return wait("network", own);
      const taken = await lane.site.add(site);
      return taken.used > most[1].points ? wait("site", taken) : null;
    },
    async admitBare(network) {
      const all = await bareSite.look(site);
      if (all.used >= caps.plainSite.points) return false;
      // As in `admit`: once there are many, one from each network.
      const most = all.used >= caps.bareSite.points ? 1 : caps.bareNetwork.points;
      if ((await bareNetwork.add(hide(network))).used > most) return false;
      await bareSite.add(site);
      return true;
    },
    async busy(network) {
      const [own, all] = await Promise.all([lanes.plain.network.look(hide(network)), allNow()]);
      return own.used >= half(caps.plainNetwork) || all.used >= half(caps.plainSite);
    },
    strained: async () => (await lanes.proven.site.look(site)).used >= half(caps.provenSite),
    spend: async (proof) => (await proofs.add(proof)).used === 1,
    async mayMail(addressKey, ticket, mail = "confirmation") {
      const key = hide(mailboxOf(addressKey));
      const granted = ticket === undefined ? null : hide(`${addressKey}:${ticket}`);
      if (granted !== null && (await tickets.look(granted)).used > 0) return true;
      if ((await addressHour[mail].add(key)).used > caps.addressHour.points) return false;
      if ((await addressDay.add(key)).used > caps.addressDay.points) return false;
      if (granted !== null) await tickets.add(granted);
      return true;
    },
    async countTest(actor) {
      const { used, seconds } = await tests.add(hide(actor));
      if (used <= testMailCap.points) return;
      const minutes = Math.ceil(seconds / 60);
      throw new Refusal(
        429,
        `You have sent ${testMailCap.points} test emails in an hour. Try again in ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`,
        { retryAfterSeconds: seconds },
      );
    },
  };
}

/**
 * The mailbox behind an address: whoever has it gets the mails to all its plus-tags, and at Gmail to all its dots
 * (support.google.com/mail/answer/7436150), so they are one to be spared. Only to count by; elsewhere an address is itself.
 */
function mailboxOf(addressKey: string): string {
  const at = addressKey.lastIndexOf("@");
  const local = addressKey.slice(0, Math.max(0, at)).split("+", 1)[0]!;
  const domain = addressKey.slice(at + 1);
  if (local === "" || domain === "") return addressKey;
  return `${/^(gmail|googlemail)\.com$/.test(domain) ? local.replaceAll(".", "") : local}@${domain}`;
}

function wait(reason: Wait["reason"], { seconds }: Count): Wait {
  return { reason, seconds };
}
