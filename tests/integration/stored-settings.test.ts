import { afterAll, beforeAll, expect, test } from "vitest";
import { settingsSource } from "../../src/config/load.ts";
import { logoOf } from "../../src/config/logo.ts";
import { changeLogo, saveSettings } from "../../src/operators/change-settings.ts";
import { openStored } from "../../src/db/stored-settings.ts";
import { openWorld, testEnv, type World } from "../support/world.ts";

const drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path d="M0 0h40v20z"/></svg>';
let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** A process of the same database, with settings of its own. */
const openNode = (env: Record<string, string> = {}) =>
  openStored(world.app, settingsSource({ ...testEnv(world.dataDir), PUBLICATION_NAME: "", ...env }));
const save = async (settings: Awaited<ReturnType<typeof openNode>>["settings"], wanted: Record<string, string>) =>
  saveSettings({ ...world.app, settings }, { wanted, actor: "mina" });
const logged = () =>
  world.app.db
    .selectFrom("audit")
    .select(["actor", "subject", "detail"])
    .where("action", "=", "settings set")
    .execute();

test("what an operator saves on one node is noticed by the others, and used when they open again", async () => {
  const [web, worker] = [await openNode(), await openNode()];
  expect(web.config.publicationName).toBe("Dayletter");
  expect(await save(web.settings, { PUBLICATION_NAME: "Saved Daily", MAX_ARTICLES: "7" })).toBe(true);
  expect(await save(web.settings, { PUBLICATION_NAME: "Saved Daily" })).toBe(false);
  expect(await worker.settings.isOutdated()).toBe(true);
  const again = await openNode();
  expect(again.config).toMatchObject({ publicationName: "Saved Daily", maxArticles: 7 });
  expect(await again.settings.isOutdated()).toBe(false);
  expect(await logged()).toEqual([
    {
      actor: "mina",
      subject: "PUBLICATION_NAME, MAX_ARTICLES",
      detail: { PUBLICATION_NAME: "Saved Daily", MAX_ARTICLES: "7" },
    },
  ]);
});

test("the environment wins, and settings of the infrastructure are only there", async () => {
  const { settings, config } = await openNode({ PUBLICATION_NAME: "Ours" });
  expect(config.publicationName).toBe("Ours");
  expect(["PUBLICATION_NAME", "MAX_ARTICLES", "SMTP_URL", "SECRET", "PORT"].map(settings.fixed)).toEqual([
    "set",
    null,
    "only",
    "set",
    "set",
  ]);
  expect((await openNode()).settings.fixed("SMTP_CONNECTIONS")).toBe("only");
  await save(settings, { PUBLICATION_NAME: "Not Ours", SMTP_URL: "smtp://localhost", APPROVAL: "hold" });
  expect(await settings.values()).toEqual({ APPROVAL: "hold", MAX_ARTICLES: "7", PUBLICATION_NAME: "Saved Daily" });
});

test("an invalid value is refused, and neither stored nor logged", async () => {
  const { settings } = await openNode();
  const [before, entries] = [await settings.values(), await logged()];
  await expect(save(settings, { MAX_ARTICLES: "900", IMPRINT_URL: "https://example.com" })).rejects.toMatchObject({
    status: 422,
    details: { problems: [{ name: "MAX_ARTICLES", code: "whole_number_invalid" }] },
  });
  expect([await settings.values(), await logged()]).toEqual([before, entries]);
});

test("an empty value goes back to the default", async () => {
  const { settings } = await openNode();
  expect(await save(settings, { MAX_ARTICLES: "" })).toBe(true);
  expect((await openNode()).config.maxArticles).toBe(25);
});

test("the postal address cannot be removed while the relay needs it, but the other settings can change without it", async () => {
  const relay = { SMTP_URL: "smtp://relay.example.com", POSTAL_ADDRESS: "" };
  const { settings, config } = await openNode(relay);
  expect(config.postalAddressMissing).toBe(true);
  await save(settings, { ALERT_NOT_SENT: "9" });
  await expect(save(settings, { POSTAL_ADDRESS: " " })).rejects.toMatchObject({ status: 422 });
  await save(settings, { POSTAL_ADDRESS: "1 Main Street" });
  expect((await openNode(relay)).config).toMatchObject({ postalAddress: "1 Main Street", postalAddressMissing: false });
  await expect(save(settings, { POSTAL_ADDRESS: "" })).rejects.toMatchObject({ status: 422 });
});

test("the logo is in the database, for nodes on other machines", async () => {
  const { settings } = await openNode();
  const content = Buffer.from(drawing);
  const change = (logo: Buffer | null) => changeLogo({ ...world.app, settings }, { content: logo, actor: "mina" });
  expect(await change(content)).toMatchObject({ changed: true });
  expect((await openNode()).config.logo).toEqual(logoOf(content));
  await save(settings, { APPROVAL: "" });
  expect((await openNode()).config.logo?.content).toEqual(content);
  expect(await change(null)).toMatchObject({ changed: true });
  expect((await openNode()).config.logo).toBeNull();
});

test("a stored value that this release cannot read does not keep it from starting", async () => {
  const rows = [
    { name: "PICTURES", value: "every second" },
    { name: "ACCENT_COLOUR", value: "#123456" },
  ];
  await world.app.db.insertInto("settings").values(rows).execute();
  const { config, settings } = await openNode();
  expect(config).toMatchObject({ pictures: "off", accentColour: "#123456" });
  expect(await settings.isOutdated()).toBe(false);
});
