import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApp, type App } from "../../../src/app.ts";
import { silentLog } from "../../../src/base/log.ts";
import { loadHere, settingsSource } from "../../../src/config/load.ts";
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
  const source = settingsSource(env);
  app = await openApp(config, { log: silentLog, command: "test", source, reopen: () => void (reopened += 1) });
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

test("the first operator is sent to the setup, which previews a feed's email before anything is stored", async () => {
  const link = new URL(readFileSync(join(dir, "setup"), "utf8").trim()).pathname;
  const first = await post(link, { name: "Ada", password, repeated: password });
  expect([first.statusCode, first.headers.location]).toEqual([303, "/operator/setup"]);
  cookie = String(first.headers["set-cookie"]).split(";")[0]!;

  expect((await page()).body).not.toContain("<iframe");
  const wrong = await post("/operator/setup/look", { url: "feed.xml" });
  expect([wrong.statusCode, wrong.body]).toEqual([
    422,
    expect.stringMatching(/id="feed-result" role="alert">[^<]*feed\.xml/),
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

test("the publication's settings are stored privately in the data folder once all of them are valid", async () => {
  expect((await page()).body).toMatch(/id="LANGUAGE"[^>]* disabled>/);
  const wrong = await post("/operator/setup/publication", { PUBLICATION_NAME: "Daily", ACCENT_COLOUR: "reddish" });
  expect([wrong.statusCode, wrong.body]).toEqual([
    422,
    expect.stringContaining(textOf("error.colour_invalid", { value: "reddish" }).split(" ").slice(1).join(" ")),
  ]);
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

test("a valid logo file is stored, and the logo can be removed", async () => {
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
    expect.objectContaining({
      problems: [{ name: "PUBLICATION_LOGO", code: "logo_file_missing", data: { file: join(dir, "gone.png") } }],
    }),
  );
});

test("a relay is checked before it is saved, and its password is neither on pages nor in the log", async () => {
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

test("settings of editions and alerts are on a page, with an error at its field", async () => {
  const wrong = await post("/operator/settings/editions", { MAX_ARTICLES: "0", APPROVAL: "send" });
  expect([wrong.statusCode, wrong.body]).toEqual([422, expect.stringContaining('id="MAX_ARTICLES-wrong"')]);
  expect(wrong.body).toMatch(/value="0".*value="send" selected/s);
  const before = reopened;
  // The choice of a default is no change.
  const saved = await post("/operator/settings/editions", {
    MAX_ARTICLES: "",
    APPROVAL: "send",
    PRE_SEND_CHECKS: "on",
  });
  expect([saved.statusCode, reopened]).toEqual([200, before + 1]);
  const alerts = await post("/operator/settings/alerts", { ALERT_MAIL: "desk@example.com" });
  expect([alerts.statusCode, reopened]).toEqual([200, before + 2]);
  expect(loadHere(env)).toMatchObject({ approval: "send", alertMail: ["desk@example.com"] });
  const logged = await app.db.selectFrom("audit").select("subject").orderBy("id", "desc").limit(2).execute();
  expect(logged.map(({ subject }) => subject)).toEqual(["ALERT_MAIL", "APPROVAL"]);
  expect((await page("/operator/settings?done=alerts")).body).toContain(textOf("settings.page_saved"));
});

test("where settings cannot be saved, the setup shows environment variables and stores nothing", async () => {
  const { place, undo } = app.settings;
  Object.assign(app.settings, { place: null });
  const shown = await post("/operator/setup/publication", { PUBLICATION_NAME: "It's news" });
  const editions = await post("/operator/settings/editions", { MAX_ARTICLES: "3" });
  expect(editions.body).toContain("MAX_ARTICLES=&#39;3&#39;");
  expect(shown.body).toContain("PUBLICATION_NAME=&#39;It&#39;\\&#39;&#39;s news&#39;");
  Object.assign(app.settings, { place });
  expect([reopened, loadHere(env).publicationName]).toEqual([6, "Telecom Daily"]);
  expect([undo(), loadHere(env).smtp, undo()]).toEqual([true, null, false]);
});

test("the setup changes the schedule and sends a test email", async () => {
  const late = await post("/operator/setup/schedule", { sendAt: "26:00", timezone: "Asia/Seoul", day: "mon" });
  expect([late.statusCode, late.body]).toEqual([422, expect.stringContaining("26:00")]);
  const wanted = { sendAt: "06:30", timezone: "Asia/Seoul", day: "mon" };
  expect((await post("/operator/setup/schedule", wanted)).statusCode).toBe(303);
  expect((await page()).body).toContain('value="06:30"');
  expect((await post("/operator/setup/test", { address: "ada@example.com" })).statusCode).toBe(303);
  expect(await app.db.selectFrom("notices").select("address").execute()).toEqual([{ address: "ada@example.com" }]);
});
