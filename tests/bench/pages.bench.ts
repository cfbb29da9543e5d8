import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sql } from "kysely";
import { bench, describe } from "vitest";
import type { App } from "../../src/app.ts";
import { linkToken } from "../../src/subscribers/tokens.ts";
import { allEngines } from "../support/engines.ts";
import { serverIsUp, startProgram } from "../support/program.ts";
import { openWorld, testEnv } from "../support/world.ts";

const connections = 50;
const requests = 3_000;
/** Until V8 has compiled what a page takes; without them, a young process is measured. */
const warmUp = 2_000;
const program = fileURLToPath(new URL("../support/load-process.ts", import.meta.url));

/**
 * Pages as readers get them from the program as it is built and served, with 100,000 subscribers, 2,000 tags and 30 days of
 * articles behind them. What asks is a process of its own.
 */
describe.each(allEngines)("pages at 50 connections on $name", ({ name, open }) => {
  bench(
    "front page, preferences, search",
    async () => {
      const dataDir = mkdtempSync(join(tmpdir(), "dayletter-bench-"));
      const { env, close } = await open();
      const world = await openWorld({ env, dataDir });
      await fill(world.app);
      const own = await preferencesPaths(world.app, 1_000);
      await world.close();
      const server = startProgram(["serve"], testEnv(dataDir, env));
      await serverIsUp(dataDir, server);
      const url = readFileSync(join(dataDir, "server"), "utf8").trim();
      const kinds = { front: ["/"], preferences: own, search: ["/subscribe/tags?q=tag%201"] };
      for (const [kind, paths] of Object.entries(kinds)) {
        await ask(url, paths, warmUp);
        process.stdout.write(`${name}, ${kind}: ${await ask(url, paths, requests)}`);
      }
      await server.end("SIGTERM");
      await close();
      rmSync(dataDir, { recursive: true });
    },
    { iterations: 1, warmupIterations: 0, warmupTime: 0, time: 0 },
  );
});

async function ask(url: string, paths: string[], count: number): Promise<string> {
  const order = JSON.stringify({ url, paths, connections, requests: count });
  return (await promisify(execFile)(process.execPath, ["--import", "tsx", program, order])).stdout;
}

async function preferencesPaths({ db, options }: App, count: number): Promise<string[]> {
  const rows = await db
    .selectFrom("subscribers")
    .select("key")
    .where(sql<boolean>`id % 97 = 0`)
    .limit(count)
    .execute();
  return rows.map(({ key }) => `/preferences/${linkToken(options.secret, "preferences", key)}`);
}

async function fill({ db, clock }: App): Promise<void> {
  const now = clock.now();
  await sql`
    insert into sources (kind, url, next_check_at, created_at) values ('feed', 'https://news.example/feed', ${now}::timestamptz + interval '1 day', ${now})`.execute(
    db,
  );
  await sql`
    insert into tags (key, name, created_at) select 'tag ' || n, 'Tag ' || n, ${now} from generate_series(1, 2000) n`.execute(
    db,
  );
  await sql`
    insert into articles (url, url_key, title, summary, first_seen_at, eligible_at, changed_at)
    select 'https://news.example/' || n, 'news.example/' || n, 'Headline ' || n, '', at, at, at
    from generate_series(1, 6000) n, lateral (select ${now}::timestamptz - n * interval '7 minutes' as at) seen`.execute(
    db,
  );
  await sql`
    insert into article_tags (article_id, tag_id, position)
    select distinct on (a.id, t.id) a.id, t.id, n from articles a, generate_series(0, 7) n,
      lateral (select 1 + ((a.id * 7919 + n * n * 104729) % (2000 / (n + 1))) as id) t`.execute(db);
  await sql`
    insert into subscribers (key, address, address_key, status, created_at, confirmed_at)
    select decode(md5('reader ' || n), 'hex'), 'reader' || n || '@example.org', 'reader' || n || '@example.org',
      'active', ${now}, ${now} from generate_series(1, 100000) n`.execute(db);
  await sql`
    insert into subscriber_tags (subscriber_id, tag_id)
    select s.id, 1 + (s.id * 31 + n * 397) % 2000 from subscribers s, generate_series(1, 5) n on conflict do nothing`.execute(
    db,
  );
  await sql`analyze`.execute(db);
}
