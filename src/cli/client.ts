import { Refusal, reasonOf } from "../base/errors.ts";

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface Asking {
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Streamed to the server. */
  body?: { type: string; bytes: AsyncIterable<Uint8Array> };
  /** Milliseconds to wait for the answer. */
  timeoutMs?: number;
}

/** The HTTP API of a running server. Responses other than success are thrown as a Refusal with the detail of the response. */
export interface Client {
  /** Address of the server, without trailing slash. */
  url: string;
  ask<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, asking?: Asking): Promise<T>;
  /** The bytes of a response that is not JSON: of a POST if `json` is given, otherwise of a GET. */
  download(path: string, query?: Query, json?: unknown): Promise<Uint8Array>;
}

/** Gathering before an edition can take 20 s, and so can reading a new feed. */
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
        throw new Refusal(
          502,
          `${server.url} did not answer with JSON, so it is probably not a Dayletter server. Check DAYLETTER_URL.`,
        );
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
    return new Refusal(504, `The server at ${url} did not answer in time. Check its log.`);
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED") {
    return new Refusal(503, `No server answers at ${url}. Start the server, or set DAYLETTER_URL to its URL.`);
  }
  return new Refusal(503, `The server at ${url} cannot be reached (${code ?? reasonOf(cause)}). Check DAYLETTER_URL.`);
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
    const what = server.token === null ? "requires a token" : "does not accept this token";
    const how = "Set DAYLETTER_TOKEN to a valid token, or run this command on the machine with its DATA_DIR";
    return new Refusal(401, `The server at ${server.url} ${what}. ${how}.`);
  }
  const sentence =
    problem?.detail ?? problem?.title ?? `The server at ${server.url} answered with status ${response.status}.`;
  return new Refusal(response.status, sentence, problem?.details ?? {});
}
