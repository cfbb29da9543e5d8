import { afterAll, beforeAll, expect, test } from "vitest";
import { article, openWeb, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
  await site.api("POST", "/articles", [article(1, ["internal"]), article(2, ["Korea", "internal"])]);
  for (const [address, tags] of [
    ["ada@example.com", ["internal"]],
    ["bob@example.com", ["internal", "Korea"]],
  ])
    await site.api("POST", "/subscribers", { address, tags, confirmed: true, consent: { method: "test" } });
});
afterAll(() => site.close());

const look = async (act: string, body: object) =>
  (await site.api("POST", `/tags/${act}`, { ...body, dryRun: true })).json<{ changed: boolean; effect: string }>();
const holdings = async () => ({
  tags: (await site.api("GET", "/tags")).json(),
  logged: await site.app.db.selectFrom("audit").select("action").where("action", "like", "tag %").execute(),
});

test("a dry run answers what a change of a tag would do, and changes nothing", async () => {
  const before = await holdings();
  const hide = await look("hide", { tag: "internal" });
  expect(hide).toMatchObject({ tag: "internal", changed: true, readers: 2, onlyThis: 1, waiting: 2, waitingOnly: 1 });
  expect(hide.effect).toContain(textOf("effect.hide_followers", { n: 2 }));
  expect(hide.effect).toContain(textOf("effect.hide_only_this", { n: 1 }));
  expect(await look("unhide", { tag: "internal" })).toMatchObject({ changed: false });
  expect(await look("rename", { from: "korea", to: "Seoul" })).toMatchObject({
    name: "Seoul",
    changed: true,
    effect: expect.stringContaining(textOf("effect.rename_alias", { from: "Korea" })),
  });
  expect(await look("merge", { from: "korea", into: "internal" })).toMatchObject({
    from: "Korea",
    into: "internal",
    changed: true,
    effect: expect.stringContaining(textOf("effect.merge_final", { from: "Korea" })),
  });
  expect(await holdings()).toEqual(before);
  expect(before.logged).toEqual([]);
});

test("a dry run is refused like the change itself", async () => {
  expect(await look("rename", { from: "internal", to: "korea" })).toMatchObject({
    status: 409,
    detail: textOf("error.tag_alias_exists", { name: "korea", other: "Korea", tag: "internal" }),
  });
  expect(await look("rename", { from: "internal", to: "Inside", revision: 0 })).toMatchObject({ status: 409 });
  expect(await look("merge", { from: "korea", into: "Korea" })).toMatchObject({ status: 422 });
  expect(await look("hide", { tag: "nonsense" })).toMatchObject({ status: 422 });
});

test("a change that was already made answers that nothing changed", async () => {
  expect((await site.api("POST", "/tags/hide", { tag: "internal" })).json()).toMatchObject({ changed: true });
  expect(await look("hide", { tag: "internal" })).toMatchObject({ changed: false });
  expect(await look("merge", { from: "Korea", into: "internal" })).toMatchObject({
    effect: expect.stringContaining(textOf("effect.merge_into_hidden", { into: "internal" })),
  });
  const merge = () => site.api("POST", "/tags/merge", { from: "Korea", into: "internal" });
  expect((await merge()).json()).toMatchObject({ from: "Korea", into: "internal", changed: true });
  expect((await merge()).json()).toMatchObject({ from: "Korea", into: "internal", changed: false });
});
