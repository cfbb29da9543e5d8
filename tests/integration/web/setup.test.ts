import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApp, type App } from "../../../src/app.ts";
import { silentLog } from "../../../src/base/log.ts";
import { loadHere, ownSettings } from "../../../src/config/load.ts";
import { buildWeb } from "../../../src/web/build.ts";
import { formWithFile } from "../../support/form-with-file.ts";
import { textOf } from "../../support/text.ts";
import { startFeed, type FeedServer } from "../../support/feed-server.ts";

const dir = mkdtempSync(join(tmpdir(), "dayletter-setup-"));
const env = { DATA_DIR: dir, ALLOW_PRIVATE_SOURCES: "1", LANGUAGE: "en", SECRET: "a-secret-for-tests-only-0123456789" };
const password = "kettle marble orbit tulip";
let app: App;
let web: FastifyInstance;
let feed: FeedServer;
let cookie = "";
let reopened = 0;

beforeAll(async () => {
  feed = await startFeed([{ id: "1", title: "LG U+ lays a cable", tags: ["lg u+"], at: new Date() }]);
  const config = loadHere(env);
  const settings = ownSettings(config, env);
  app = await openApp(config, { log: silentLog, command: "test", settings, reopen: () => void (reopened += 1) });
  web = buildWeb(app);
});
afterAll(async () => {
  await web.close();
  await app.close(0);
  await feed.close();
  rmSync(dir, { recursive: true, force: true });
});

const page = (url = "/operator/setup"): Promise<LightMyRequestResponse> =>
  web.inject({ url, headers: { cookie, accept: "text/html" } });

async function post(url: string, fields: Record<string, string>): Promise<LightMyRequestResponse> {
  const csrf = cookie === "" ? "" : /name="csrf" value="([\w-]+)"/.exec((await page()).body)![1]!;
  const headers = { cookie, "content-type": "application/x-www-form-urlencoded" };
  return web.inject({ method: "POST", url, headers, payload: new URLSearchParams({ ...fields, csrf }).toString() });
}

test("the first operator is led to the set-up, which shows a feed's mail before anything is kept", async () => {
  const link = new URL(readFileSync(join(dir, "setup"), "utf8").trim()).pathname;
  const first = await post(link, { name: "Ada", password, repeated: password });
  expect([first.statusCode, first.headers.location]).toEqual([303, "/operator/setup"]);
  cookie = String(first.headers["set-cookie"]).split(";")[0]!;

  expect((await page()).body).not.toContain("<iframe");
  const wrong = await post("/operator/setup/look", { url: "feed.xml" });
  expect([wrong.statusCode, wrong.body]).toEqual([
    422,
    expect.stringMatching(/id="feed-told" role="alert">[^<]*feed\.xml/),
  ]);
  const look = await post("/operator/setup/look", { url: feed.url });
  expect(look.body).toContain(": 1 article");
  const mail = await page(/src="(\/operator\/setup\/look\/\w+\.html)"/.exec(look.body)![1]);
  expect([mail.body, mail.headers["content-security-policy"]]).toEqual([
    expect.stringContaining("LG U+ lays a cable"),
    expect.stringContaining("sandbox"),
  ]);
  const count = async (): Promise<number> => (await app.db.selectFrom("articles").select("id").execute()).length;
  expect(await count()).toBe(0);
  const used = await post("/operator/setup/source", { url: feed.url });
  expect([used.headers.location, await count()]).toEqual(["/operator/setup?done=source", 1]);
  expect((await page()).body).toContain('src="/operator/preview.html"');
});

test("the publication is written into the data folder, for this user alone, once it is right as a whole", async () => {
  expect((await page()).body).toMatch(/id="LANGUAGE"[^>]* disabled>/);
  const wrong = await post("/operator/setup/publication", { PUBLICATION_NAME: "Daily", ACCENT_COLOUR: "reddish" });
  expect([wrong.statusCode, wrong.body]).toEqual([422, expect.stringContaining("is not a colour")]);
  expect(wrong.body).toContain('value="reddish"');
  expect(() => readFileSync(join(dir, "settings.env"))).toThrow();

  const fields = { PUBLICATION_NAME: "Telecom Daily", POSTAL_ADDRESS: "1 Main Street", LANGUAGE: "ko" };
  const saved = await post("/operator/setup/publication", fields);
  expect([saved.statusCode, saved.body]).toEqual([200, expect.stringContaining("data-next")]);
  expect(reopened).toBe(1);
  expect(statSync(join(dir, "settings.env")).mode & 0o777).toBe(0o600);
  const { publicationName, postalAddress, language } = loadHere(env);
  expect([publicationName, postalAddress, language]).toEqual(["Telecom Daily", "1 Main Street", "en"]);
  expect(loadHere({ ...env, PUBLICATION_NAME: "Wins" }).publicationName).toBe("Wins");
});

async function upload(
  url: string,
  file: { name: string; content: Buffer },
  fields: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  const csrf = /name="csrf" value="([\w-]+)"/.exec((await page()).body)![1]!;
  const { payload, type } = await formWithFile({ csrf, ...fields }, { field: "logo", ...file });
  return web.inject({ method: "POST", url, headers: { cookie, "content-type": type }, payload });
}

test("a logo is taken from a file, once it is one; then it is set, and can be taken away", async () => {
  const at = "/operator/setup/logo";
  const before = reopened;
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><path d="M0 0h40v40z"/></svg>';
  const evil = drawing.replace("<path", "<script/><path");
  for (const [content, sentence] of [
    ["", textOf("error.logo_not_chosen")],
    ["GIF89a", textOf("error.logo_type")],
    [evil, textOf("error.logo_svg_active", { part: "script" })],
    [drawing.padEnd(200_001), textOf("error.logo_too_large", { kilobytes: 201, most: 200 })],
  ] as const) {
    const refused = await upload(at, { name: "logo.png", content: Buffer.from(content) });
    expect([refused.statusCode, refused.body]).toEqual([422, expect.stringContaining(sentence)]);
  }
  const forged = await upload(at, { name: "a.svg", content: Buffer.from(drawing) }, { csrf: "x" });
  expect([forged.statusCode, reopened]).toEqual([403, before]);

  const saved = await upload(at, { name: "../our logo.svg", content: Buffer.from(drawing) });
  expect([saved.statusCode, reopened]).toEqual([200, before + 1]);
  const { logo } = loadHere(env);
  expect(logo).toMatchObject({ type: "image/svg+xml", name: expect.stringMatching(/^logo\.[0-9a-f]{12}\.svg$/) });
  const [entry] = await app.db.selectFrom("audit").select("detail").orderBy("id", "desc").limit(1).execute();
  expect(entry?.detail).toMatchObject({ PUBLICATION_LOGO: logo!.name });

  const again = await upload(at, { name: "", content: Buffer.alloc(0) }, { remove: "1" });
  expect([again.statusCode, loadHere(env).logo, reopened]).toEqual([200, null, before + 2]);
  expect(readdirSync(dir).filter((name) => name.startsWith("logo."))).toEqual([]);
  expect(() => loadHere({ ...env, PUBLICATION_LOGO: "gone.png" })).toThrow(
    `PUBLICATION_LOGO: ${textOf("error.logo_file_missing", { file: join(dir, "gone.png") })}`,
  );
});

test("a relay is asked before it is used; its password is in no page and not in the log", async () => {
  const relay = { host: "127.0.0.1", port: "1", user: "me", password: "hush hush" };
  const wrong = await post("/operator/setup/relay", relay);
  expect([wrong.statusCode, wrong.body]).toEqual([422, expect.stringMatching(/127\.0\.0\.1:1.*name="unchecked"/s)]);
  const saved = await post("/operator/setup/relay", { ...relay, unchecked: "1" });
  expect([saved.statusCode, reopened]).toEqual([200, 4]);
  expect(loadHere(env).smtp).toMatchObject({ host: "127.0.0.1", port: 1, user: "me", password: "hush hush" });
  const audit = JSON.stringify(await app.db.selectFrom("audit").selectAll().execute());
  expect(audit).toContain("settings set");
  expect(wrong.body + saved.body + audit).not.toMatch(/hush/);
});

test("where processes share the records, it shows what to put into their environment, and writes nothing", async () => {
  const { writable, undo } = app.settings;
  Object.assign(app.settings, { writable: false });
  const shown = await post("/operator/setup/publication", { PUBLICATION_NAME: "It's news" });
  expect(shown.body).toContain("PUBLICATION_NAME=&#39;It&#39;\\&#39;&#39;s news&#39;");
  Object.assign(app.settings, { writable });
  expect([reopened, loadHere(env).publicationName]).toEqual([4, "Telecom Daily"]);
  expect([undo(), loadHere(env).smtp, undo()]).toEqual([true, null, false]);
});

test("the schedule and a test mail are asked for there too", async () => {
  const late = await post("/operator/setup/schedule", { sendAt: "26:00", timezone: "Asia/Seoul", day: "mon" });
  expect([late.statusCode, late.body]).toEqual([422, expect.stringContaining("26:00")]);
  const wanted = { sendAt: "06:30", timezone: "Asia/Seoul", day: "mon" };
  expect((await post("/operator/setup/schedule", wanted)).statusCode).toBe(303);
  expect((await page()).body).toContain('value="06:30"');
  expect((await post("/operator/setup/test", { address: "ada@example.com" })).statusCode).toBe(303);
  expect(await app.db.selectFrom("notices").select("address").execute()).toEqual([{ address: "ada@example.com" }]);
});
