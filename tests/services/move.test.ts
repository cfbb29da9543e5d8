import { readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { moveRecords } from "../../src/cli/migrate-database.ts";
import { silentLog } from "../../src/base/log.ts";
import { openPostgres } from "../../src/db/open.ts";
import { openStored } from "../../src/db/stored-settings.ts";
import { packageRoot } from "../../src/package-root.ts";
import { loadConfig, settingsSource, type Config } from "../../src/config/load.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { findEdition } from "../../src/editions/store.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { linkToken } from "../../src/subscribers/tokens.ts";
import { buildWeb } from "../../src/web/build.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { freshDatabase } from "../support/services.ts";
import { openWorld, testEnv } from "../support/world.ts";

const logo = join(packageRoot, "tests/fixtures/logo.png");

async function openStoredOf(url: string): Promise<Config> {
  const { db, close } = openPostgres(url);
  try {
    return (await openStored({ db, log: silentLog }, settingsSource({ DATABASE_URL: url, SECRET: "k".repeat(32) })))
      .config;
  } finally {
    await close();
  }
}

test("records move from the embedded engine to PostgreSQL as they are, and old links go on to work", async () => {
  // Without a SECRET of its own, as an embedded server is: it makes one in its folder.
  const before = await openWorld({ env: { SECRET: "" } });
  const { app, dataDir } = before;
  const database = await freshDatabase();
  try {
    await addAllNewsReaders(app, ["ada@example.org", "bob@example.org"]);
    await addArticle(app, "한국 & “lg u+”", undefined, ["lg u+", "한국"]);
    const sent = await sendNow(app, { extra: false, actor: "test" });
    const ada = (await findByAddress(app.db, "ada@example.org"))!;
    const balance = (await editionStatus(app.db, sent)).balance;
    const audit = await app.db.selectFrom("audit").selectAll().orderBy("id").execute();
    await app.close(0);

    const secret = readFileSync(join(dataDir, "secret"), "utf8").trim();
    const env = { DATABASE_URL: database.url, SECRET: secret };
    const config = (more: object = {}) => loadConfig(testEnv(join(dataDir, "new"), { ...env, ...more }));
    await expect(moveRecords(config({ SECRET: `${secret}x` }), dataDir)).rejects.toThrow("SECRET is not the same");
    await expect(moveRecords(config({ DATABASE_URL: "", SECRET: secret }), dataDir)).rejects.toThrow(
      "DATABASE_URL is not set",
    );
    await expect(moveRecords(config(), join(dataDir, "new"))).rejects.toThrow("contains no embedded database");
    writeFileSync(
      join(dataDir, "settings.env"),
      `PUBLICATION_NAME=Moved\nPUBLICATION_LOGO=${logo}\nMAIL_FROM=a@example.com`,
    );
    const [said, settings] = await moveRecords(config(), dataDir);
    expect(settings).toContain("except for MAIL_FROM. Add these from");
    expect(said).toContain("Readers: 2, editions: 1, deliveries: 2, articles: 1.");
    await expect(moveRecords(config(), dataDir)).rejects.toThrow("is not empty");

    const stored = await openStoredOf(database.url);
    expect(stored).toMatchObject({ publicationName: "Moved", logo: { type: "image/png" } });
    const after = await openWorld({ env, dataDir: join(dataDir, "new") });
    try {
      const web = buildWeb(after.app);
      const url = `/unsubscribe/${linkToken(secret, "unsubscribe", ada.key)}`;
      const left = await web.inject({
        method: "POST",
        url,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        payload: "List-Unsubscribe=One-Click",
      });
      expect(left.statusCode).toBe(200);
      await web.close();
      const moved = (await findByAddress(after.app.db, "ada@example.org"))!;
      expect(moved).toMatchObject({ ...ada, status: "unsubscribed", leftAt: expect.any(Date) });
      const edition = (await findEdition(after.app.db, sent.date))!;
      expect(edition).toEqual(sent);
      expect((await editionStatus(after.app.db, edition)).balance).toEqual(balance);
      expect(await after.app.db.selectFrom("audit").selectAll().orderBy("id").limit(audit.length).execute()).toEqual(
        audit,
      );
      // New rows come behind those that came over.
      await addAllNewsReaders(after.app, ["carla@example.org"]);
      await addArticle(after.app, "Another");
      expect((await findByAddress(after.app.db, "carla@example.org"))!.id).toBeGreaterThan(ada.id);
    } finally {
      await after.close();
    }
  } finally {
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
