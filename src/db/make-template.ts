import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { packageRoot } from "../base/root.ts";
import { createEmbeddedPool } from "./embedded-pool.ts";
import { migrate, migrateQueue, readMigrations } from "./migrate.ts";
import { templateFile } from "./open.ts";

// Run by `npm run build`: makes the embedded engine's data folder template, unless the one there is still right.
const hashFile = `${templateFile}.hash`;
const hash = templateHash();
if (!existsSync(templateFile) || !existsSync(hashFile) || readFileSync(hashFile, "utf8") !== hash) {
  rmSync(hashFile, { force: true });
  const pglite = await PGlite.create();
  const pool = await createEmbeddedPool(pglite);
  await migrate(pool);
  await migrateQueue(pool);
  await pool.end();
  const dump = await pglite.dumpDataDir("gzip");
  await pglite.close();
  writeFileSync(`${templateFile}.new`, Buffer.from(await dump.arrayBuffer()));
  renameSync(`${templateFile}.new`, templateFile);
  writeFileSync(hashFile, hash);
}

function templateHash(): string {
  const sum = createHash("sha256").update(JSON.stringify(readMigrations()));
  for (const name of ["@electric-sql/pglite", "bullmq"]) {
    sum.update(readFileSync(join(packageRoot, "node_modules", name, "package.json")));
  }
  return sum.digest("hex");
}
