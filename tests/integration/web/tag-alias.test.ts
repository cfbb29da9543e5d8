import { afterAll, beforeAll, expect, test } from "vitest";
import { article, openWeb, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
  await site.api("POST", "/articles", [article(1, ["lg u+", "LGU+"]), article(2, ["Korea"])]);
  const ada = { address: "ada@example.com", tags: ["LGU+"], confirmed: true, consent: { method: "test" } };
  await site.api("POST", "/subscribers", ada);
  await site.api("POST", "/tags/merge", { from: "LGU+", into: "lg u+" });
  for (const alias of ["LG Uplus", "LG U plus", "유플러스"])
    await site.api("POST", "/tags/alias", { alias, tag: "lg u+" });
});
afterAll(() => site.close());

const remove = async (alias: string, tag: string) => {
  const query = new URLSearchParams({ alias, tag }).toString();
  const answer = await site.api("DELETE", `/tags/alias?${query}`);
  return { status: answer.statusCode, ...answer.json<{ changed?: boolean; detail?: string }>() };
};
const listed = async (): Promise<Record<string, string[]>> => {
  const { tags } = (await site.api("GET", "/tags")).json<{ tags: { name: string; aliases: string[] }[] }>();
  return Object.fromEntries(tags.map(({ name, aliases }) => [name, aliases]));
};
const logged = () =>
  site.app.db.selectFrom("audit").select(["subject", "detail"]).where("action", "=", "tag unalias").execute();

test("removing a spelling twice changes nothing the second time, and its articles keep the tag", async () => {
  const two = await Promise.all([1, 2].map(() => remove("lgu+", "LG U+")));
  expect(two.map(({ status, changed }) => `${status} ${changed}`).toSorted()).toEqual(["200 false", "200 true"]);
  expect(await remove("LGU+", "lg u+")).toMatchObject({ status: 200, alias: "LGU+", tag: "lg u+", changed: false });
  expect(await logged()).toEqual([{ subject: "lg u+", detail: { alias: "LGU+", tag: "lg u+" } }]);
  expect(await listed()).toEqual({ Korea: [], "lg u+": ["LG U plus", "LG Uplus", "유플러스"] });
  const { subscribers } = (await site.api("GET", "/subscribers")).json();
  expect(subscribers[0].tags).toEqual(["lg u+"]);
});

test("new articles with a removed spelling create a tag of that name", async () => {
  await site.api("POST", "/articles", article(3, ["LGU+"]));
  expect(Object.keys(await listed())).toEqual(["Korea", "lg u+", "LGU+"]);
  expect(await remove("LGU+", "lg u+")).toMatchObject({ status: 200, changed: false });
});

test("of two simultaneous changes of a spelling one wins, and the other is refused with the tag it belongs to", async () => {
  const [removed, renamed] = await Promise.all([
    remove("LG Uplus", "lg u+"),
    site.api("POST", "/tags/rename", { from: "lg u+", to: "LG Uplus" }),
  ]);
  expect(renamed.statusCode).toBe(200);
  // Either the spelling was gone when the tag took it for its name, or it was the name already.
  if (removed.status === 200) expect(removed.changed).toBe(true);
  else expect(removed.detail).toBe(textOf("error.tag_named_by_alias", { alias: "lg u+", tag: "LG Uplus" }));
  await site.api("POST", "/tags/merge", { from: "LG Uplus", into: "Korea" });
  expect(await remove("유플러스", "LG Uplus")).toMatchObject({
    status: 409,
    detail: textOf("error.tag_named_by_alias", { alias: "LG Uplus", tag: "Korea" }),
  });
  expect(await remove("LG U plus", "LGU+")).toMatchObject({
    status: 409,
    detail: textOf("error.alias_of_other_tag", { alias: "LG U plus", owner: "Korea", tag: "LGU+" }),
  });
});

test.each([
  ["korea", "Korea", 422, textOf("error.alias_is_tag_name", { tag: "Korea" })],
  ["x", "nonsense", 422, textOf("error.tag_unknown", { tags: '"nonsense"' })],
  [" ", "Korea", 422, textOf("error.tag_name_invalid", { value: " " })],
])("removing %j from %j is refused", async (alias, tag, status, detail) => {
  expect(await remove(alias, tag)).toMatchObject({ status, detail });
});
