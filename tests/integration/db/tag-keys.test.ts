import { afterAll, beforeAll, expect, test } from "vitest";
import { tagKey } from "../../../src/articles/tags.ts";
import { migrate } from "../../../src/db/migrate.ts";
import { databaseBefore, type OldDatabase } from "../../support/database-before.ts";

let old: OldDatabase;
beforeAll(async () => {
  old = await databaseBefore(21);
});
afterAll(() => old.close());

/** The key of the release before. */
const oldKey = (name: string): string =>
  name.normalize("NFC").toLowerCase().toUpperCase().toLowerCase().normalize("NFC");

const column = async (query: string): Promise<unknown[]> =>
  (await old.pool.query<{ v: unknown }>(query)).rows.map(({ v }) => v);

test("an upgrade merges tags that differ only in width, and their readers keep following", async () => {
  const { pool } = old;
  const names = ["LG U＋", "LG U+", "ＫＴ", "Huawei", "ＬＧ U+", "25 ℃"];
  for (const name of names) {
    await pool.query("insert into tags (key, name, created_at) values ($1, $2, now())", [oldKey(name), name]);
  }
  await pool.query("update tags set hidden_at = now() where id = 2");
  for (const [id, tags] of [
    [1, [1]],
    [2, [2]],
    [3, [2, 5]],
    [4, [3]],
    [5, [4]],
  ] as const) {
    await pool.query(
      `insert into subscribers (key, address, address_key, status, created_at)
       values (decode(lpad($1, 32, '0'), 'hex'), $1 || '@a.example', $1 || '@a.example', 'active', now())`,
      [String(id)],
    );
    for (const tag of tags) await pool.query("insert into subscriber_tags values ($1, $2)", [id, tag]);
  }
  await pool.query("insert into tag_aliases values ('uplus', 'Uplus', 1), ('ｕplus', 'Ｕplus', 5), ('kt', 'KT', 4)");
  const renames = JSON.stringify({ [oldKey("ＬＧＵ")]: "LG U+" });
  await pool.query(
    `insert into sources (kind, url, next_check_at, created_at, renamed_tags) values ('feed', 'https://a.example/', now(), now(), $1)`,
    [renames],
  );
  await pool.query(`insert into articles (url, url_key, title, summary, first_seen_at, changed_at, eligible_at)
    values ('https://a.example/1', 'https://a.example/1', 'T', '', now(), now(), now())`);
  await pool.query("insert into article_tags values (1, 5, 1), (1, 1, 2), (1, 4, 3)");

  await migrate(pool);

  const { rows: tags } = await pool.query<{ id: number; key: string; name: string }>(
    "select id, key, name from tags order by id",
  );
  expect(tags.map(({ name }) => name)).toEqual(["LG U+", "ＫＴ", "Huawei", "25 ℃"]);
  for (const { key, name } of tags) expect(key).toBe(tagKey(name));
  expect(await column("select hidden_at as v from tags where id = 2")).toEqual([null]);
  expect(await column("select array[subscriber_id, tag_id] as v from subscriber_tags order by 1")).toEqual([
    [1, 2],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 4],
  ]);
  expect(await column("select tag_id as v from article_tags order by position")).toEqual([2, 4]);
  // The alias `kt` is the key of a tag now, and the two spellings of `uplus` are one.
  expect(await column("select key || ' ' || tag_id as v from tag_aliases")).toEqual(["uplus 2"]);
  expect(await column("select renamed_tags as v from sources")).toEqual([{ [tagKey("ＬＧＵ")]: "LG U+" }]);
  expect(await column("select subject as v from audit where action = 'tag merge' order by 1")).toEqual([
    "LG U＋",
    "ＬＧ U+",
  ]);
});
