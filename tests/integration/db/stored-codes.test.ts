import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../../src/db/migrate.ts";
import type { LinkResult } from "../../../src/editions/links.ts";
import { databaseBefore, type OldDatabase } from "../../support/database-before.ts";

let old: OldDatabase;
beforeAll(async () => {
  old = await databaseBefore(19);
});
afterAll(() => old.close());

const links: [string | null, LinkResult | null][] = [
  [null, null],
  ["answers 404", { code: "status", status: 404 }],
  ["leads to gone.site, which does not exist", { code: "no_such_host", host: "gone.site" }],
  ["does not answer in time", { code: "too_slow" }],
  ["leads to a private address", { code: "private_address" }],
  ["redirects without end, or to no web page", { code: "bad_redirect" }],
  ["leads to the front page", { code: "front_page" }],
  ["cannot be read", { code: "unreadable" }],
  ["cannot be reached (ECONNREFUSED)", { code: "unreachable", error: "ECONNREFUSED" }],
  ["is odd", { code: "text", text: "is odd" }],
];

test("an upgrade turns stored sentences of sources, links and consents into codes", async () => {
  const { pool } = old;
  await pool.query(
    `insert into sources (id, kind, url, renamed_tags, next_check_at, created_at, last_error, problem) overriding system value
     values (1, 'feed', 'https://a.example/', '{}', now(), now(), 'It answered 404.', null),
            (2, 'feed', 'https://b.example/', '{}', now(), now(), null, '2 of 9 items were left out.')`,
  );
  for (const [id, [said]] of links.entries()) {
    await pool.query(
      `insert into articles (id, source_id, url, url_key, title, summary, first_seen_at, changed_at, eligible_at, backlog) overriding system value
       values ($1, 1, $2, $2, 'News', '', now(), now(), now(), false)`,
      [id, `https://a.example/${id}`],
    );
    await pool.query(
      "insert into link_checks (article_id, url, verdict, said, checked_at) values ($1, 'https://a.example/', 'fine', $2, now())",
      [id, said],
    );
  }
  const silent = { code: "source_silent", data: { source: "Wire", days: 5 } };
  const broken = { code: "link_broken", data: { title: "News", said: "answers 410" } };
  for (const [number, findings] of [[], [broken, silent]].entries()) {
    await pool.query(
      `insert into editions (date, number, state, timezone, due_at, opened_at, reason_code, reason_data)
       values ('2026-11-24', $1, 'finished', 'UTC', now(), now(), 'held_by_checks', $2)`,
      [number + 1, JSON.stringify({ findings })],
    );
  }
  await migrate(pool);
  const sources = await pool.query("select read_error, problems from sources order by id");
  expect(sources.rows).toEqual([
    { read_error: { text: "It answered 404." }, problems: [] },
    { read_error: null, problems: [{ text: "2 of 9 items were left out." }] },
  ]);
  const checks = await pool.query<{ result: object | null }>("select result from link_checks order by article_id");
  expect(checks.rows.map(({ result }) => result)).toEqual(links.map(([, result]) => result));
  const editions = await pool.query<{ data: object }>("select reason_data as data from editions order by number");
  expect(editions.rows.map(({ data }) => data)).toEqual([
    { findings: [] },
    { findings: [{ code: "link_broken", data: { title: "News", result: { code: "status", status: 410 } } }, silent] },
  ]);
});
