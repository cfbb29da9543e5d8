import { reasonOf } from "../base/errors.ts";
import type { Problem } from "../web/failures.ts";
import { ApiError, CommandError } from "./failure.ts";
import { readIfThere } from "../base/private-file.ts";
import type { Config } from "../config/load.ts";
import { addressFile, tokenFile } from "../operators/data-folder.ts";

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface RequestOptions {
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Streamed to the server. */
  body?: { type: string; bytes: AsyncIterable<Uint8Array> };
  /** Milliseconds to wait for the answer. */
  timeoutMs?: number;
}

/** The HTTP API of a running server. Responses other than success are thrown as an ApiError. */
export interface Client {
  /** Address of the server, without trailing slash. */
  url: string;
  request<T>(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, options?: RequestOptions): Promise<T>;
  /** The bytes of a response that is not JSON: of a POST if `json` is given, otherwise of a GET. */
  download(path: string, query?: Query, json?: unknown): Promise<Uint8Array>;
}

/** Gathering before an edition can take 20 s, and so can reading a new feed. */
const defaultTimeoutMs = 120_000;

export function createClient(server: { url: string; token: string | null }): Client {
  async function send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    const { json, body, timeoutMs = defaultTimeoutMs } = options;
    const headers: Record<string, string> = { accept: "application/json, */*" };
    if (server.token !== null) headers["authorization"] = `Bearer ${server.token}`;
    if (json !== undefined) headers["content-type"] = "application/json";
    if (body) headers["content-type"] = body.type;
    let response: Response;
    try {
      response = await fetch(`${server.url}/api/v1${path}${search(options.query ?? {})}`, {
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
    throw await apiErrorOf(response, server);
  }

  return {
    url: server.url,
    async request<T>(method: string, path: string, options?: RequestOptions): Promise<T> {
      const response = await send(method, path, options);
      const text = await response.text();
      if (text === "") return undefined as T;
      try {
        return JSON.parse(text) as T;
      } catch {
        throw new CommandError(
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

function unreachable(url: string, error: unknown): CommandError {
  if (error instanceof Error && error.name === "TimeoutError") {
    return new CommandError(`The server at ${url} did not answer in time. Check its log.`);
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED") {
    return new CommandError(`No server answers at ${url}. Start the server, or set DAYLETTER_URL to its URL.`);
  }
  return new CommandError(`The server at ${url} cannot be reached (${code ?? reasonOf(cause)}). Check DAYLETTER_URL.`);
}

async function apiErrorOf(response: Response, server: { url: string; token: string | null }): Promise<ApiError> {
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
  if (response.status === 401) {
    const what = server.token === null ? "requires a token" : "does not accept this token";
    const how = "Set DAYLETTER_TOKEN to a valid token, or run this command on the machine with its DATA_DIR";
    return new ApiError(401, `The server at ${server.url} ${what}. ${how}.`);
  }
  const sentence =
    problem?.detail ?? problem?.title ?? `The server at ${server.url} answered with status ${response.status}.`;
  return new ApiError(response.status, sentence, problem ?? {});
}

interface ServerPlace {
  url: string;
  token: string | null;
}

/**
 * The server that commands send requests to: the one in the settings, or the one in the data folder of this machine. The token
 * in the data folder is sent only to the server in the same folder.
 * @throws CommandError if there is neither
 */
export function findServer(config: Pick<Config, "serverUrl" | "bootstrapToken" | "dataDir">): ServerPlace {
  const here = readIfThere(addressFile(config.dataDir));
  const url = config.serverUrl ?? here;
  if (url === null) {
    throw new CommandError(
      `No running server found in ${config.dataDir}. Start the server, or set DAYLETTER_URL and DAYLETTER_TOKEN.`,
    );
  }
  const local = here !== null && sameOrigin(url, here) ? readIfThere(tokenFile(config.dataDir)) : null;
  return { url: url.replace(/(?<!\/)\/+$/, ""), token: config.bootstrapToken ?? local };
}

function sameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}
