import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { textOf } from "../../support/text.ts";
import { openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
  // 250 days of editions, the last two of one date, each with one article.
  await sql`
    insert into editions (date, number, state, timezone, due_at, opened_at, frozen_at, sending_at, articles)
    select date '2026-11-23' - n, 1, 'finished', 'UTC', now(), now(), now(), now(), 1 from generate_series(0, 248) n
    union all
    select date '2026-11-23', 2, 'finished', 'UTC', now(), now(), now(), now(), 1
    union all
    select date '2026-11-24', 1, 'held', 'UTC', now(), now(), now(), null, 1`.execute(site.app.db);
  const articles = await site.api("POST", "/articles", { url: "https://news.example.com/1", title: "One", tags: [] });
  expect(articles.statusCode).toBeLessThan(300);
  await sql`
    insert into edition_articles (edition_id, article_id, position, tag_ids, snapshot)
    select id, (select id from articles), 0, '{}', jsonb_build_object(
      'title', case when date = '2026-11-20' then 'Telefónica grows' when date = '2026-04-02' then '통신사 ＬＧ & more'
        when date = '2026-11-24' then 'Telefónica is held' else 'Headline' end,
      'tags', case when date = '2026-11-19' then '["telefonica"]'::jsonb else '[]'::jsonb end,
      'url', 'https://news.example.com/1', 'summary', '', 'origin', null)
    from editions`.execute(site.app.db);
});
afterAll(() => site.close());

const look = async (url: string) => {
  const { body, statusCode } = await site.inject({ method: "GET", url });
  return {
    body,
    statusCode,
    editions: [...body.matchAll(/href="\/editions\/([\d.-]+)"/g)].map((match) => match[1]!),
    older: /href="([^"]+)" rel="next"/.exec(body)?.[1]?.replaceAll("&amp;", "&"),
  };
};

test("the archive pages through all editions, newest first", async () => {
  const seen: string[] = [];
  let pages = 0;
  for (let url: string | undefined = "/editions"; url !== undefined; pages += 1) {
    const page: Awaited<ReturnType<typeof look>> = await look(url);
    seen.push(...page.editions);
    url = page.older;
  }
  expect([pages, seen.length, new Set(seen).size]).toEqual([3, 250, 250]);
  expect(seen.slice(0, 3)).toEqual(["2026-11-23.2", "2026-11-23", "2026-11-22"]);
  expect((await look("/editions?before=nonsense")).statusCode).toBe(404);
  expect((await look("/editions?before=2020-01-01")).body).toContain(textOf("editions.no_older"));
});

test("the archive is searched by headline and tag, without accents, so many editions at a time", async () => {
  const found = await look("/editions?q=TELEFONICA");
  expect(found.editions).toEqual(["2026-11-20", "2026-11-19"]);
  expect(found.body).toContain("Telefónica grows");
  expect(found.body).not.toContain("is held");
  const first = await look("/editions?q=lg%20%26");
  expect([first.editions, first.body.includes(textOf("editions.none_here", { query: "lg &amp;" }))]).toEqual([
    [],
    true,
  ]);
  expect((await look(first.older!)).editions).toEqual(["2026-04-02"]);
  const none = await look("/editions?q=%3Cb%3E&before=2026-04-01");
  expect(none.body).toContain(textOf("editions.none_found", { query: "&lt;b&gt;" }));
});

test("an edition's page can be printed and shared, with a script of ours only", async () => {
  const page = await site.inject({ method: "GET", url: "/editions/2026-11-20" });
  expect(page.body).toMatch(/data-edition hidden>.*data-print.*data-share/);
  expect(page.headers["content-security-policy"]).toContain("script-src 'self'");
});
