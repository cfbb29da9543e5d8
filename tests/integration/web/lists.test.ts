import { readdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listSubscribers } from "../../../src/subscribers/store.ts";
import { article, openWeb, token, type OpenWeb } from "./open.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
  await site.api("POST", "/articles", article(1, ["huawei", "lg u+", "a|b\\c", "-minus", "+1", "=x;=y", "'=q", "＝z"]));
});
afterAll(() => site.close());

const give = (query: string, list: string, type = "text/csv", to = site) =>
  to.inject({
    method: "POST",
    url: `/api/v1/subscribers/import${query}`,
    headers: { authorization: `Bearer ${token}`, "content-type": type },
    payload: list,
  });
const addresses = async (): Promise<string[]> =>
  (await listSubscribers(site.app.db, { after: 0, limit: 1_000 })).map((one) => one.address);

test("a strict import with a wrong line, and a dry run, store nothing", async () => {
  const list = "email,tags\nada@example.com,huawei\nnobody,huawei\nbo@example.com,unheard\n";
  const strict = await give("?strict&confirmed", list);
  expect(strict.json()).toMatchObject({
    status: 422,
    code: "import_refused",
    details: { imported: false, lines: 3, refused: [{ line: 3 }, { line: 4 }], refusedCount: 2 },
  });
  expect((await give("?dryRun", list)).json()).toMatchObject({ imported: false, added: 1 });
  expect(await addresses()).toEqual([]);
  expect((await give("?dryrun", list)).json()).toMatchObject({ status: 422 });
});

test("valid lines are imported and the others reported, and repeating the import changes nothing", async () => {
  const list =
    'email,tags,all_tags,timezone\nada@example.com,huawei|lg u+,,asia/seoul\n=bo@example.com,"a\\|b\\\\c|-minus|+1|=x;=y|\'=q|＝z",,\nnobody,huawei,,\ncy@example.com,,yes,\n';
  const first = await give("?confirmed", list);
  expect(first.json()).toMatchObject({ imported: true, lines: 4, added: 3, refused: [{ line: 4 }] });
  expect((await give("?confirmed", list, "text/csv; charset=utf-8")).json()).toMatchObject({
    added: 0,
    updated: 0,
    unchanged: 3,
  });
  const ndjson = '{"address":"dee@example.com","tags":["Huawei"]}\nnonsense\n';
  expect((await give("", ndjson, "application/x-ndjson")).json()).toMatchObject({ added: 1, refused: [{ line: 2 }] });
});

test.each(["csv", "ndjson"])("an export as %s contains no formula and can be imported again", async (format) => {
  const answer = await site.api("GET", `/subscribers/export?format=${format}`);
  expect(answer.headers["content-disposition"]).toContain(`subscribers.${format}`);
  if (format === "csv") {
    expect(answer.body.split("\n")[0]).toBe('"address","status","all_tags","tags","confirmed_at","timezone"');
    for (const cell of answer.body.split(/[\n,;\t]/)) expect(cell).not.toMatch(/^"*[=+\-@\t\r＝]/);
  }
  const other = await openWeb();
  try {
    const type = format === "csv" ? "text/csv" : "application/x-ndjson";
    expect((await give("?createTags&strict", answer.body, type, other)).json()).toMatchObject({
      imported: true,
      added: 4,
    });
    const plain = async (from: OpenWeb) =>
      (await listSubscribers(from.app.db, { after: 0, limit: 10 })).map(
        ({ address, status, allTags, tags, confirmedAt, timezone }) => ({
          address,
          status,
          allTags,
          tags: tags.map((tag) => tag.toLowerCase()),
          confirmedAt,
          timezone,
        }),
      );
    expect(await plain(other)).toEqual(await plain(site));
  } finally {
    await other.close();
  }
});

test("an export of several pages is complete", async () => {
  const many = Array.from({ length: 2_345 }, (_, n) => `reader${n}@example.com,huawei`).join("\n");
  expect((await give("?confirmed", `email,tags\n${many}\n`)).json()).toMatchObject({ added: 2_345 });
  const { body } = await site.api("GET", "/subscribers/export?status=active");
  expect(body.trim().split("\n")).toHaveLength(1 + 2_345 + 3);
});

test("a list that is too large or incomplete imports nothing and leaves no file", async () => {
  const before = (await addresses()).length;
  const line = `${"x".repeat(60)}@example.com,huawei\n`;
  await site.web.listen({ host: "127.0.0.1", port: 0 });
  const { port } = site.web.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/api/v1/subscribers/import?confirmed`;
  const headers = { authorization: `Bearer ${token}`, "content-type": "text/csv" };
  const long = await fetch(url, { method: "POST", headers, body: `email,tags\n${line.repeat(1_400_000)}` });
  expect(await long.json()).toMatchObject({ status: 413, detail: expect.stringContaining("100 MB") });
  // The rest of it is not read, and nobody here is going to hang up.
  site.web.server.closeAllConnections();

  const folders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("dayletter-import-"));
  const others = await folders();
  const upload = request(url, { method: "POST", headers });
  upload.on("error", () => undefined);
  upload.write("email,tags\nbroken@example.com,huawei\n");
  const kept = async () => (await folders()).filter((name) => !others.includes(name));
  await expect.poll(kept).toHaveLength(1);
  upload.destroy();
  await expect.poll(kept).toEqual([]);
  expect(await addresses()).toHaveLength(before);
  expect(site.errors).toEqual([]);
});
