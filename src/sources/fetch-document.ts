import { Agent, request as ask } from "undici";
import { readBody, timeLimit } from "./fetch-limits.ts";
import { innermost, type FetchDeps } from "./fetch.ts";
import { guardedConnector } from "./guard.ts";

/**
 * Fetches a small document with the same protection as feeds. Redirects are not followed, so it comes from the host in the address.
 * @throws Error, also for any status but 200
 */
export async function fetchDocument(deps: FetchDeps, url: string): Promise<Uint8Array> {
  const { allowPrivate, lookup, userAgent, timeoutMs = 5_000, maxBytes = 100_000 } = deps;
  const limit = timeLimit(timeoutMs, undefined);
  const dispatcher = new Agent({ connect: guardedConnector({ allowPrivate, lookup, timeoutMs }) });
  try {
    const asked = ask(url, { dispatcher, signal: limit.signal, headers: { "user-agent": userAgent } });
    const { statusCode, headers, body } = await limit.race(asked);
    const bytes = await readBody(body, String(headers["content-encoding"] ?? ""), { maxBytes, signal: limit.signal });
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
    return bytes;
  } catch (error) {
    throw limit.refusal(url) ?? innermost(error);
  } finally {
    limit.end();
    dispatcher.destroy().catch(() => {});
  }
}
