import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import type { App } from "../../src/app.ts";

export interface Dashboard {
  cookie: string;
  /** What a form of the operators' pages carries. */
  csrf: string;
  get(url: string): Promise<LightMyRequestResponse>;
  /** A form, with the token. */
  post(url: string, fields?: Record<string, string | string[]>): Promise<LightMyRequestResponse>;
}

/** Opens the link that a new server has written for its first operator, who is then signed in. */
export async function signIn(site: {
  app: App;
  inject(options: InjectOptions): Promise<LightMyRequestResponse>;
}): Promise<Dashboard> {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const send = (url: string, headers: Record<string, string>, fields: Record<string, string | string[]>) =>
    site.inject({ method: "POST", url, headers, payload: formOf(fields) });
  const link = new URL(readFileSync(join(site.app.config.dataDir, "setup"), "utf8").trim()).pathname;
  const password = "kettle marble orbit tulip";
  const signedIn = await send(link, form, { name: "Ada", password, repeated: password });
  const cookie = [signedIn.headers["set-cookie"] ?? ""].flat()[0]!.split(";")[0]!;
  const get = async (url: string): Promise<LightMyRequestResponse> =>
    site.inject({ method: "GET", url, headers: { cookie, accept: "text/html" } });
  const csrf = /name="csrf" value="([\w-]+)"/.exec((await get("/operator/account/codes")).body)![1]!;
  return { cookie, csrf, get, post: (url, fields = {}) => send(url, { ...form, cookie }, { csrf, ...fields }) };
}

function formOf(fields: Record<string, string | string[]>): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one) => [name, one] as [string, string]),
  );
  return new URLSearchParams(pairs).toString();
}
