import { Refusal, reasonOf } from "../base/errors.ts";

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface Asking {
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it comes. */
  body?: { type: string; bytes: AsyncIterable<Uint8Array> };
  /** Milliseconds to wait for the answer. */
  timeoutMs?: number;
}

/** The HTTP API of a running server. Every answer that is no success is thrown as a Refusal with the server's sentence. */
export interface Client {
  /** Address of the server, without trailing slash. */
  url: string;
  ask<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, asking?: Asking): Promise<T>;
  /** An answer that is not JSON, as bytes: of a GET, or of a POST where `json` is given. */
  download(path: string, query?: Query, json?: unknown): Promise<Uint8Array>;
}

/** Gathering before an edition takes up to 20 s, and reading a new feed as long. */
const defaultTimeoutMs = 120_000;

export function createClient(server: { url: string; token: string | null }): Client {
  async function send(method: string, path: string, asking: Asking = {}): Promise<Response> {
    const { json, body, timeoutMs = defaultTimeoutMs } = asking;
    const headers: Record<string, string> = { accept: "application/json, */*" };
    if (server.token !== null) headers["authorization"] = `Bearer ${server.token}`;
    if (json !== undefined) headers["content-type"] = "application/json";
    if (body) headers["content-type"] = body.type;
    let response: Response;
    try {
      response = await fetch(`${server.url}/api/v1${path}${search(asking.query ?? {})}`, {
        method,
        headers,
        signal: AbortSignal.timeout(timeoutMs),
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        ...(body ? { body: body.bytes as unknown as ReadableStream, duplex: "half" as const } : {}),
      });
    } catch (error) {
      throw unreachable(server.url, error);
    }
    if (response.ok) return response;
    throw await refusalOf(response, server);
  }

  return {
    url: server.url,
    async ask<T>(method: string, path: string, asking?: Asking): Promise<T> {
      const response = await send(method, path, asking);
      const text = await response.text();
      if (text === "") return undefined as T;
      try {
        return JSON.parse(text) as T;
      } catch {
        throw new Refusal(502, `${server.url} is not a Dayletter server: it answered with something other than JSON.`);
      }
    },
    async download(path, query = {}, json) {
      const method = json === undefined ? "GET" : "POST";
      return new Uint8Array(await (await send(method, path, { query, json })).arrayBuffer());
    },
  };
}

function search(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue;
    for (const one of Array.isArray(value) ? (value as string[]) : [value]) parameters.append(name, String(one));
  }
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

function unreachable(url: string, error: unknown): Refusal {
  if (error instanceof Error && error.name === "TimeoutError") {
    return new Refusal(504, `The server at ${url} does not answer in time: look at its log.`);
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED") {
    return new Refusal(503, `No server answers at ${url}: start the server, or set DAYLETTER_URL to where it runs.`);
  }
  return new Refusal(503, `The server at ${url} cannot be reached (${code ?? reasonOf(cause)}): check DAYLETTER_URL.`);
}

/** RFC 9457, with our `details`. */
interface Problem {
  title?: string;
  detail?: string;
  details?: Record<string, unknown>;
}

async function refusalOf(response: Response, server: { url: string; token: string | null }): Promise<Refusal> {
  const problem = (await response.json().catch(() => null)) as Problem | null;
  if (response.status === 401) {
    const what = server.token === null ? "wants a token" : "does not know this token";
    const how = "set DAYLETTER_TOKEN to one of its tokens, or run this where its DATA_DIR is";
    return new Refusal(401, `The server at ${server.url} ${what}: ${how}.`);
  }
  const sentence = problem?.detail ?? problem?.title ?? `The server at ${server.url} answered ${response.status}.`;
  return new Refusal(response.status, sentence, problem?.details ?? {});
}
