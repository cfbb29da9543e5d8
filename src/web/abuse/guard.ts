import type { FastifyRequest, FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import type { Wait } from "../../abuse/caps.ts";
import { formAge, formTime, readProof, newChallenge } from "../../abuse/forms.ts";
import { fillMs, challengeCost } from "../../abuse/limits.ts";
import { networkOf } from "../../abuse/network.ts";
import { Refusal } from "../../base/errors.ts";

type Deps = Pick<App, "caps" | "clock" | "config" | "options" | "log">;

/** Protects every form that sends an email to an address that was typed in. */
interface FormGuard {
  /**
   * Looks at who sends a form and how, and counts it. `fields` are `website`, `t` and `altcha`, as posted.
   * @returns false for a script that gave itself away: answer as if all were well, and keep nothing
   * @throws Refusal 429 for one too many, 403 for a wrong or used proof of work, 422 for a form of another page or day;
   *   `details.challenge` says that a solved challenge helps, `details.again` that sending it once more does
   */
  check(request: FastifyRequest, fields: unknown): Promise<boolean>;
}

export function guardForm({ caps, clock, config, options, log }: Deps): FormGuard {
  let warned = false;
  return {
    async check(request, fields) {
      const { website, t, altcha } = (fields ?? {}) as Record<string, unknown>;
      const age = formAge(options.secret, t, clock.now());
      if ((website ?? "") !== "") {
        log.info({}, "sign-up by a bot ignored");
        return false;
      }
      // A browser with autofill can be as fast as a script. The reader then submits the form again.
      if (age === "early") {
        throw new Refusal(422, "form_too_fast", { again: true });
      }
      const network = networkOf(request.ip);
      const bare = t === undefined && (await caps.admitBare(network));
      if (age !== "fine" && !bare) {
        throw new Refusal(422, "form_stale", { again: true });
      }
      const proven = await prove(altcha);
      const wait = await caps.admit(network, proven);
      if (!wait) return true;
      if (
        wait.reason === "network" &&
        !config.trustProxy &&
        request.headers["x-forwarded-for"] !== undefined &&
        !warned
      ) {
        warned = true;
        log.warn({}, "all sign-ups through this proxy count as one network. Set TRUST_PROXY to its address");
      }
      throw tooMany(wait, proven);
    },
  };

  async function prove(payload: unknown): Promise<boolean> {
    if ((payload ?? "") === "") return false;
    const proof = typeof payload === "string" ? await readProof(options.secret, payload, clock.now()) : null;
    if (proof !== null && (await caps.spend(proof))) return true;
    throw new Refusal(403, "proof_invalid", { challenge: true });
  }
}

/**
 * What a form needs besides its visible fields: the signed time `t`, and whether to ask for a proof of work.
 * @param sent the `t` of a form that is shown again: it keeps its time, and one without a good time need not wait
 */
export async function formFields(
  { caps, clock, options }: Deps,
  request: FastifyRequest,
  sent?: unknown,
): Promise<{ t: string; challenge: boolean }> {
  const now = clock.now();
  const age = sent === undefined ? null : formAge(options.secret, sent, now);
  const kept = age === "fine" || age === "early" ? (sent as string) : null;
  const madeAt = age === null ? now : new Date(now.getTime() - fillMs);
  return { t: kept ?? formTime(options.secret, madeAt), challenge: await caps.busy(networkOf(request.ip)) };
}

function tooMany({ reason, seconds }: Wait, proven: boolean): Refusal {
  const code = crowded[reason === "network" ? "network" : "site"][proven ? "proven" : "bare"];
  return new Refusal(429, code, { n: Math.ceil(seconds / 60), retryAfterSeconds: seconds, challenge: !proven });
}

const crowded = {
  network: { proven: "network_crowded", bare: "network_busy" },
  site: { proven: "site_crowded", bare: "site_busy" },
} as const;

/** `/challenge`: a puzzle for the browser, new every time; its solution goes into the field `altcha`. */
export function addChallengeRoute(web: FastifyInstance, app: Pick<App, "caps" | "clock" | "options">): void {
  web.get("/challenge", async (_request, reply) => {
    const cost = (await app.caps.strained()) ? challengeCost.strained : challengeCost.usual;
    return reply
      .header("cache-control", "no-store")
      .send(await newChallenge(app.options.secret, cost, app.clock.now()));
  });
}

/** A scheme, a host name of at most 253 characters and a port. Parsing an international name takes quadratic time. */
const longestOrigin = 300;
const own = new Set(["same-origin", "none"]);

/**
 * Refuses what a page of another site makes a browser post to a reader's own pages (OWASP ASVS 5.0, 3.5.1). The token in
 * the address already is the reader's authority; this is for one that got about.
 * @throws Refusal 403
 */
export function refuseForeignPost({ method, headers, host }: FastifyRequest): void {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return;
  const site = headers["sec-fetch-site"];
  // Browsers that do not send it send Origin; "null" is what our own pages send under Referrer-Policy: no-referrer.
  const { origin } = headers;
  const foreign =
    site !== undefined ? !own.has(site) : origin !== undefined && origin !== "null" && hostOf(origin) !== host;
  if (foreign) throw new Refusal(403, "foreign_post");
}

function hostOf(origin: string): string | null {
  return origin.length <= longestOrigin && URL.canParse(origin) ? new URL(origin).host : null;
}
