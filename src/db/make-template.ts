import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { packageRoot } from "../package-root.ts";
import { createEmbeddedPool } from "./embedded-pool.ts";
import { migrate, migrateQueue, readMigrations } from "./migrate.ts";
import { packFolder, templateFile } from "./template.ts";

/** A checkpoint removes old write-ahead log instead of keeping it for reuse. */
const startParams = [...PGlite.defaultStartParams, "-c", "wal_recycle=off", "-c", "min_wal_size=32MB"];

/** Half of the files are template databases, which only `create database` needs, and most of the rest is old log. */
const slimming = [
  "update pg_database set datistemplate = false, datallowconn = true where datname like 'template_'",
  "drop database template0",
  "drop database template1",
  "vacuum analyze",
  "select pg_switch_wal()",
  "checkpoint",
];

// Run by `npm run build`: makes the template of the embedded engine's data folder, unless it is up to date.
const hashFile = `${templateFile}.hash`;
const hash = templateHash();
if (!existsSync(templateFile) || !existsSync(hashFile) || readFileSync(hashFile, "utf8") !== hash) {
  for (const path of [hashFile, templateFile]) rmSync(path, { force: true });
  const temporary = mkdtempSync(join(tmpdir(), "dayletter-template-"));
  try {
    const unfinished = `${templateFile}.${process.pid}`;
    writeFileSync(unfinished, await makeTemplate(join(temporary, "db")));
    renameSync(unfinished, templateFile);
    writeFileSync(hashFile, hash);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function makeTemplate(folder: string): Promise<Buffer> {
  const pglite = await PGlite.create({ dataDir: folder, startParams });
  const pool = await createEmbeddedPool(pglite);
  await migrate(pool);
  await migrateQueue(pool);
  await pool.end();
  for (const statement of slimming) await pglite.exec(statement);
  await pglite.close();
  return packFolder(folder);
}

function templateHash(): string {
  const sum = createHash("sha256").update(JSON.stringify(readMigrations()));
  for (const name of ["@electric-sql/pglite", "bullmq"]) {
    sum.update(readFileSync(join(packageRoot, "node_modules", name, "package.json")));
  }
  for (const name of ["make-template", "template"]) {
    sum.update(readFileSync(new URL(`${name}${import.meta.url.slice(-3)}`, import.meta.url)));
  }
  return sum.digest("hex");
}
