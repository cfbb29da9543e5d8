import pg from "pg";
import { packageRoot } from "../../src/package-root.ts";
import { startProgram, type Program } from "./program.ts";
import { eventually, testEnv } from "./world.ts";

/** A publication of ordinary shape: an edition of 25 articles, of which a reader with four topics gets about twelve. */
const topics = 20;
const topicsOfReader = 4;
export const articlesOfEdition = 25;

/**
 * Whom an edition goes to: its articles have topics of this name. All readers follow four with the name "Topic", the first
 * 1,000 also four with "Small", and the first ten four with "Tiny".
 */
export type Audience = "Topic" | "Small" | "Tiny";
export const followers: Record<Exclude<Audience, "Topic">, number> = { Small: 1_000, Tiny: 10 };

const topicName = (audience: Audience, n: number): string => `${audience} ${n + 1}`;

/** The topics of the reader with this number: one in each quarter of the list, turned by the number. */
const topicsOf = (reader: number): number[] =>
  Array.from({ length: topicsOfReader }, (_, k) => {
    const turned = (Math.floor(reader / topics) * (k * k + 1)) % 5;
    return (reader + 5 * k + turned) % topics;
  });

const topicsOfArticle = (n: number): number[] => [
  ...new Set([n * 3, n * 3 + 7, n * 5 + 13].map((one) => one % topics)),
];

/** The address of the reader with this number. */
export const addressOf = (reader: number): string =>
  `reader${String(reader).padStart(7, "0")}@mail${reader % 50}.example`;

/** How many articles of an edition a reader gets, on average. */
export function meanArticles(): number {
  const readers = 1_000;
  let all = 0;
  for (let reader = 1; reader <= readers; reader += 1) {
    const followed = new Set(topicsOf(reader));
    for (let n = 0; n < articlesOfEdition; n += 1) if (topicsOfArticle(n).some((one) => followed.has(one))) all += 1;
  }
  return all / readers;
}

const sentences = [
  "South Korea has confirmed that Washington raised concerns about a contract for base stations.",
  "The operator said that it would keep to the agreed schedule and publish the results in spring.",
  "Analysts expect that the auction of the remaining frequencies will be decided before the end of the year.",
];

/** New articles for one more edition, as the API takes them. */
function articles(round: string, audience: Audience): object[] {
  return Array.from({ length: articlesOfEdition }, (_, n) => ({
    url: `https://news.example/${round}/${n}`,
    title: `Regulator ${n + 1} decides about the shared use of frequencies, edition ${round}`,
    summary: [0, 1, 2].map((k) => sentences[(n + k) % sentences.length]).join(" "),
    tags: topicsOfArticle(n).map((one) => topicName(audience, one)),
    origin: { name: "Korea JoongAng Daily", url: "https://joongang.example" },
  }));
}

/** Puts confirmed readers with these numbers straight into the tables, which takes seconds for 100,000. */
export async function fillReaders(databaseUrl: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `insert into subscribers (key, address, address_key, status, created_at, confirmed_at)
       select decode(md5('reader ' || n), 'hex'), address, address, 'active', now(), now()
       from generate_series(1, $1::int) n,
         lateral (select 'reader' || lpad(n::text, 7, '0') || '@mail' || n % 50 || '.example' as address) named`,
      [count],
    );
    for (const [audience, most] of Object.entries({ Topic: count, ...followers })) {
      await client.query(
        `insert into tags (key, name, created_at)
         select lower($1) || ' ' || n, $1 || ' ' || n, now() from generate_series(1, ${topics}) n`,
        [audience],
      );
      await client.query(
        `insert into subscriber_tags (subscriber_id, tag_id)
         select s.id, t.id
         from subscribers s, lateral (select substr(s.address, 7, 7)::int as n) numbered,
           generate_series(0, ${topicsOfReader - 1}) k, tags t
         where n <= $2 and t.key = lower($1) || ' ' || 1 + (n + 5 * k + (n / ${topics} * (k * k + 1)) % 5) % ${topics}`,
        [audience, most],
      );
    }
    await client.query("vacuum analyze");
  } finally {
    await client.end();
  }
}

/** The same readers as a list to import. */
function readersList(count: number): string {
  let list = "";
  for (let n = 1; n <= count; n += 1)
    list += `${JSON.stringify({ address: addressOf(n), tags: topicsOf(n).map((one) => topicName("Topic", one)) })}\n`;
  return list;
}

export interface EditionShown {
  name: string;
  state: string;
  selected: number;
  sendingAt: string | null;
  closedAt: string | null;
  balance: Record<
    "selected" | "sent" | "rejected" | "expired" | "skipped" | "unknown" | "pending" | "sending" | "deferred",
    number
  >;
}

/** The API of a running server of this publication. */
export interface Api {
  get<T>(path: string): Promise<T>;
  text(path: string): Promise<string>;
  post<T>(path: string, body: unknown): Promise<T>;
  /** Stores the articles of one more edition. */
  addArticles(audience?: Audience): Promise<void>;
  /** "Send now", an extra edition where today has one. @returns the edition's name */
  sendNow(): Promise<string>;
  importReaders(count: number): Promise<void>;
}

let rounds = 0;

function apiAt(url: string, token: string): Api {
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${token}` };
    const answer = await fetch(`${url}/api/v1${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const send = (path: string, body: string, type: string): Promise<Response> =>
    ask(path, { method: "POST", body, headers: { "content-type": type } });
  const api: Api = {
    get: async <T>(path: string) => (await (await ask(path)).json()) as T,
    text: async (path) => (await ask(path)).text(),
    post: async <T>(path: string, body: unknown) =>
      (await (await send(path, JSON.stringify(body), "application/json")).json()) as T,
    async addArticles(audience = "Topic") {
      rounds += 1;
      await api.post("/articles", articles(`${process.pid}-${rounds}`, audience));
    },
    async sendNow() {
      const { editions } = await api.get<{ editions: EditionShown[] }>("/editions?limit=1");
      return (await api.post<EditionShown>("/editions", { extra: editions.length > 0 })).name;
    },
    async importReaders(count) {
      await send("/subscribers/import?confirmed=1&createTags=1", readersList(count), "application/x-ndjson");
    },
  };
  return api;
}

const token = "a-token-for-measuring-only-0123456789";

/** One process of the built program. */
export interface Node {
  program: Program;
  url: string;
  api: Api;
}

/**
 * Starts `dayletter serve`, `web` or `worker` and waits until it is ready.
 * @param env.DATA_DIR a folder of its own
 * @param nodeOptions options of Node's own
 */
export async function startNode(
  role: "serve" | "web" | "worker",
  env: Record<string, string>,
  nodeOptions: readonly string[] = [],
): Promise<Node> {
  const program = startProgram(
    [role],
    testEnv(env["DATA_DIR"] ?? "", { DAYLETTER_TOKEN: token, LOG_LEVEL: "warn", CHECK_LINKS: "0", ...env }),
    nodeOptions,
  );
  const url = await eventually(
    `dayletter ${role} is ready`,
    async () => {
      const over = await Promise.race([program.exited, Promise.resolve(null)]);
      if (over !== null) throw new Error(`dayletter ${role} ended (${over}):\n${program.output()}`);
      return / at (http:\S+)/.exec(program.output())?.[1];
    },
    60_000,
  );
  return { program, url, api: apiAt(url, token) };
}

/** Settings that load `shift-clock.mjs` into a process, with the file that holds its offset. */
export function clockFrom(file: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=${packageRoot}/tests/support/shift-clock.mjs`, CLOCK_FILE: file };
}

/** Creates the tables with the built program. */
export async function migrateDatabase(env: Record<string, string>): Promise<void> {
  const program = startProgram(["migrate"], testEnv(env["DATA_DIR"] ?? "", env));
  const code = await program.exited;
  if (code !== 0) throw new Error(`dayletter migrate ended (${code}):\n${program.output()}`);
}
