import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLink } from "../../src/operators/links.ts";
import { freshDatabase } from "../support/services.ts";
import { openWorld, testEnv } from "../support/world.ts";
import { execute } from "../unit/cli/execute.ts";

test("beside PostgreSQL, set-up links are made without a token, such as in a container with a new volume", async () => {
  const database = await freshDatabase();
  const world = await openWorld({ env: { DATABASE_URL: database.url } });
  const { db, clock } = world.app;
  const elsewhere = join(tmpdir(), `dayletter-link-${process.pid}`);
  const link = async (...name: string[]) => {
    const env = testEnv(elsewhere, { DATABASE_URL: database.url });
    const { code, stdout } = await execute(["operators", "link", ...name, "--json"], env);
    return { code, token: code === 0 ? (JSON.parse(stdout) as { link: string }).link.split("/").at(-1)! : "" };
  };
  try {
    const first = await link();
    expect(await readLink(db, first.token, clock.now())).toMatchObject({ operatorId: null, role: "owner" });
    const ada = { name: "Ada", name_key: "ada", role: "editor", password: "scrypt", created_at: clock.now() } as const;
    await db.insertInto("operators").values(ada).execute();
    expect((await link()).code).toBe(1);
    expect(await readLink(db, (await link("ada")).token, clock.now())).toMatchObject({ name: "Ada", role: "editor" });
  } finally {
    await world.close();
    await database.drop();
    rmSync(elsewhere, { recursive: true, force: true });
  }
});
