import { createHash, createHmac } from "node:crypto";
import { Redis } from "ioredis";
import { RateLimiterPostgres, RateLimiterRedis, type RateLimiterAbstract, RateLimiterRes } from "rate-limiter-flexible";
import { Refusal } from "../base/errors.ts";
import { shared } from "../base/async.ts";
import { busyShare, caps, challengeSeconds, hookSeconds, testMailCap, type Cap } from "./limits.ts";
import type { DbPool } from "../db/embedded-pool.ts";

/** Why a sign-up must wait: too many from its network, or too many in all. */
export interface Wait {
  reason: "network" | "site";
  seconds: number;
}

/**
 * An email to an address that has not confirmed: a confirmation, a sample copy, or the link to a reader's settings, which
 * anybody with the List-Unsubscribe address can request.
 */
type UnprovenMail = "confirmation" | "sample" | "settings";

/** Limits on what strangers can make the publication send. */
export interface Caps {
  /** Counts a sign-up and returns null, or returns how long to wait. `network` comes from `networkOf`. */
  admit(network: string, proven: boolean): Promise<Wait | null>;
  /** Counts a form without a signed time, which has caps of its own. @returns false above them */
  admitBare(network: string): Promise<boolean>;
  /** Whether a form should require proof of work. */
  busy(network: string): Promise<boolean>;
  /** Whether many solved challenges arrive. */
  strained(): Promise<boolean>;
  /** Marks a solved challenge as used. @returns false when it was used before */
  spend(proof: string): Promise<boolean>;
  /**
   * Binds a webhook's token to the first body that comes with it, because a signature of the token alone would also fit another one.
   * @returns false for another body
   */
  bindBody(token: string, body: Uint8Array): Promise<boolean>;
  /**
   * Counts an email to an unconfirmed address.
   * @param ticket identifies the request, so that a retry after a crash is not counted twice
   * @param mail each kind has its own hourly cap, so that a sample copy does not delay a sign-up
   * @returns false when it must not be sent
   */
  mayMail(addressKey: string, ticket?: string, mail?: UnprovenMail): Promise<boolean>;
  /**
   * Counts a test email of an operator: a sample copy to an address they choose, or a test alert.
   * @param actor the operator's or the token's name
   * @throws Refusal 429 above the cap
   */
  countTest(actor: string): Promise<void>;
}

const site = "all";

/** @param secret addresses and networks are stored only as hashes keyed with it */
export function createCaps(counters: Counters, secret: string): Caps {
  const count = (name: keyof typeof caps) => counters.counter(name, caps[name]);
  const addressHour = {
    confirmation: count("addressHour"),
    sample: counters.counter("sampleHour", caps.addressHour),
    settings: counters.counter("settingsHour", caps.addressHour),
  };
  const addressDay = count("addressDay");
  const signups = {
    plain: { network: count("plainNetwork"), site: count("plainSite"), caps: [caps.plainNetwork, caps.plainSite] },
    proven: { network: count("provenNetwork"), site: count("provenSite"), caps: [caps.provenNetwork, caps.provenSite] },
  } as const;
  // Every form that is shown needs it.
  const allNow = shared(() => signups.plain.site.look(site));
  const bareNetwork = count("bareNetwork");
  const bareSite = count("bareSite");
  const tests = counters.counter("testMail", testMailCap);
  const proofs = counters.counter("proof", { points: 1, seconds: challengeSeconds });
  const hookTokens = counters.counter("hookToken", { points: 1, seconds: hookSeconds });
  const tickets = counters.counter("ticket", caps.addressHour);
  const hide = (text: string): string => createHmac("sha256", secret).update(`caps:${text}`).digest("base64url");
  const half = (cap: { points: number }): number => cap.points * busyShare;

  return {
    async admit(network, proven) {
      const { caps: most, ...counts } = proven ? signups.proven : signups.plain;
      const all = await counts.site.look(site);
      // Before counting the network, so that a flood from many networks does not leave a row for each.
      if (all.used >= most[1].points) return wait("site", all);
      const own = await counts.network.add(hide(network));
      // The second half of the site's cap is reserved for new networks, so that a script on a few networks cannot shut out
      // other people.
      const crowded = !proven && all.used >= half(most[1]);
      if (own.used > (crowded ? 1 : most[0].points)) return wait("network", own);
      const taken = await counts.site.add(site);
      return taken.used > most[1].points ? wait("site", taken) : null;
    },
    async admitBare(network) {
      const all = await bareSite.look(site);
      if (all.used >= caps.plainSite.points) return false;
      // As in `admit`: once there are many, one for each network.
      const most = all.used >= caps.bareSite.points ? 1 : caps.bareNetwork.points;
      if ((await bareNetwork.add(hide(network))).used > most) return false;
      await bareSite.add(site);
      return true;
    },
    async busy(network) {
      const [own, all] = await Promise.all([signups.plain.network.look(hide(network)), allNow()]);
      return own.used >= half(caps.plainNetwork) || all.used >= half(caps.plainSite);
    },
    strained: async () => (await signups.proven.site.look(site)).used >= half(caps.provenSite),
    spend: async (proof) => (await proofs.add(proof)).used === 1,
    async bindBody(token, body) {
      const all = await hookTokens.add(hide(token));
      const same = await hookTokens.add(hide(`${token}:${createHash("sha256").update(body).digest("hex")}`));
      return all.used === same.used;
    },
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
      const details = { most: testMailCap.points, n: Math.ceil(seconds / 60), retryAfterSeconds: seconds };
      throw new Refusal(429, "too_many_test_emails", details);
    },
  };
}

/**
 * The mailbox behind an address, for counting: plus-tags lead to one mailbox, and at Gmail dots do too
 * (support.google.com/mail/answer/7436150). Everywhere else an address keeps its plus-tags and dots.
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

/** Counts by key in a window that starts with the first count. */
export interface Counter {
  /** Counts one more. */
  add(key: string): Promise<Count>;
  look(key: string): Promise<Count>;
}

interface Count {
  /** Including this one. */
  used: number;
  /** Until the window ends. */
  seconds: number;
}

export interface Counters {
  counter(name: string, cap: Cap): Counter;
  close(): void;
}

/**
 * Counters that all web processes share: in Redis if there is one, otherwise and while Redis is down in the table `caps`.
 * They use the machine's clock, as Redis does.
 */
export function openCounters(place: { pool: DbPool; redisUrl: string | null }): Counters {
  const storeClient = clientOf(place.pool);
  const redis = place.redisUrl === null ? null : connect(place.redisUrl);
  return {
    counter(name, { points, seconds: duration }) {
      const options = { keyPrefix: name, points, duration };
      const inDatabase = new RateLimiterPostgres({
        ...options,
        storeClient,
        storeType: "client",
        tableName: "caps",
        tableCreated: true,
      });
      if (!redis) return counterOn(inDatabase);
      const keyPrefix = `dayletter:caps:${name}`;
      return counterOn(
        new RateLimiterRedis({
          ...options,
          keyPrefix,
          storeClient: redis,
          rejectIfRedisNotReady: true,
          insuranceLimiter: inDatabase,
        }),
      );
    },
    close: () => redis?.disconnect(),
  };
}

function counterOn(limiter: RateLimiterAbstract): Counter {
  return {
    async add(key) {
      try {
        return countOf(await limiter.consume(key));
      } catch (refused) {
        if (refused instanceof RateLimiterRes) return countOf(refused);
        throw refused;
      }
    },
    look: async (key) => countOf(await limiter.get(key)),
  };
}

function countOf(found: RateLimiterRes | null): Count {
  return { used: found?.consumedPoints ?? 0, seconds: Math.max(1, Math.ceil((found?.msBeforeNext ?? 0) / 1_000)) };
}

/** Drops the names of the limiter's prepared statements: planning them costs nothing. */
function clientOf(pool: DbPool): { query(statement: { text: string; values: unknown[] }): Promise<unknown> } {
  return { query: ({ text, values }) => pool.query(text, values) };
}

function connect(url: string): Redis {
  const redis = new Redis(url, { connectionName: "dayletter-caps", maxRetriesPerRequest: 1, commandTimeout: 1_000 });
  // It reconnects automatically. Without a listener, each failed attempt would be printed with its stack.
  return redis.on("error", () => undefined);
}
