import { createHash } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { packageRoot } from "../base/root.ts";
import { createEmbeddedPool } from "./embedded-pool.ts";
import { migrate, migrateQueue, readMigrations } from "./migrate.ts";
import { templateFolder } from "./open.ts";

// Run by `npm run build`: makes the embedded engine's data folder template, unless the one there is still right.
const hashFile = `${templateFolder}.hash`;
const hash = templateHash();
if (!existsSync(templateFolder) || !existsSync(hashFile) || readFileSync(hashFile, "utf8") !== hash) {
  for (const path of [hashFile, templateFolder]) rmSync(path, { recursive: true, force: true });
  const unfinished = `${templateFolder}.${process.pid}`;
  const pglite = await PGlite.create(unfinished);
  const pool = await createEmbeddedPool(pglite);
  await migrate(pool);
  await migrateQueue(pool);
  await pool.end();
  await pglite.close();
  makeReadable(unfinished);
  renameSync(unfinished, templateFolder);
  writeFileSync(hashFile, hash);
}

/** Whoever may run the program may copy the template; it holds no data. PostgreSQL makes files for their owner only. */
function makeReadable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}

function templateHash(): string {
  const sum = createHash("sha256").update(JSON.stringify(readMigrations()));
  for (const name of ["@electric-sql/pglite", "bullmq"]) {
    sum.update(readFileSync(join(packageRoot, "node_modules", name, "package.json")));
  }
  return sum.digest("hex");
}
