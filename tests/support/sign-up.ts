import { solveChallenge, type Challenge } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/pbkdf2";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { formTime, newChallenge } from "../../src/abuse/forms.ts";
import type { App } from "../../src/app.ts";

export interface SignUp {
  address: string;
  /** Where it comes from; each call has a network of its own unless it is given. */
  from?: string;
  /** Form fields beside the usual ones, or in their place; null leaves one out. */
  fields?: Record<string, string | null>;
  headers?: Record<string, string>;
  json?: boolean;
}

export interface SignUps {
  /** Posts the sign-up form, filled in as a person would. */
  send(signUp: SignUp): Promise<LightMyRequestResponse>;
  /** A solved challenge, made cheap. */
  proof(): Promise<string>;
  /** As if the hour and the day were over. */
  forget(): Promise<void>;
  /** Addresses that wait to be looked at. */
  waiting(): Promise<string[]>;
}

export function signUps({ app, web }: { app: App; web: FastifyInstance }): SignUps {
  let networks = 0;
  const { secret } = app.options;
  return {
    send({ address, from, fields = {}, headers = {}, json = false }) {
      const t = formTime(secret, new Date(app.clock.now().getTime() - 10_000));
      const all = Object.entries({ address, all: "1", website: "", t, ...fields });
      const given = Object.fromEntries(all.filter(([, value]) => value !== null)) as Record<string, string>;
      networks += 1;
      return web.inject({
        method: "POST",
        url: "/subscribe",
        remoteAddress: from ?? `10.${(networks >> 8) & 255}.${networks & 255}.1`,
        ...(json
          ? { payload: { ...given, allTags: true }, headers: { accept: "application/json", ...headers } }
          : {
              payload: new URLSearchParams(given).toString(),
              headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
            }),
      });
    },
    proof: async () => solve(await newChallenge(secret, 1, app.clock.now())),
    forget: async () => void (await app.db.deleteFrom("caps").execute()),
    waiting: async () => (await app.db.selectFrom("signups").select("address").execute()).map((row) => row.address),
  };
}

/** What the browser's script sends. */
export async function solve(challenge: Challenge): Promise<string> {
  const solution = await solveChallenge({ challenge, deriveKey });
  return Buffer.from(JSON.stringify({ challenge, solution })).toString("base64");
}
