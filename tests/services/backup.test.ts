import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { freshDatabase } from "../support/services.ts";

let fresh: Awaited<ReturnType<typeof freshDatabase>>;
let folder: string;
beforeAll(async () => (fresh = await freshDatabase()));
afterAll(async () => {
  for (const name of await databases()) await ask(`drop database "${name}"`, "postgres");
  await fresh.drop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dayletter-backup-"));
  return () => rmSync(folder, { recursive: true });
});

const ask = async (text: string, database?: string): Promise<Record<string, unknown>[]> => {
  const url = new URL(fresh.url);
  if (database !== undefined) url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

/** What restoring has left beside the database itself. */
async function databases(): Promise<string[]> {
  const name = new URL(fresh.url).pathname.slice(1);
  const rows = await ask(`select datname from pg_database where datname like '${name}_%'`, "postgres");
  return rows.map(({ datname }) => String(datname));
}

function backup(argv: readonly string[], more: { env?: Record<string, string>; input?: Buffer } = {}) {
  const { hostname, port, username, password, pathname } = new URL(fresh.url);
  // Debian keeps the programs of each version apart; those of another one than the server's may refuse.
  const ofDebian = readdirSync("/usr/lib", { encoding: "utf8" }).includes("postgresql")
    ? readdirSync("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin`)
    : [];
  const { status, stdout, stderr } = spawnSync(join(packageRoot, "deploy/backup.sh"), argv, {
    encoding: "utf8",
    input: more.input,
    env: {
      PATH: [...ofDebian.toReversed(), process.env["PATH"]].join(delimiter),
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: decodeURIComponent(username),
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: pathname.slice(1),
      BACKUP_DIR: folder,
      ...more.env,
    },
  });
  return { status, stdout, stderr };
}

const dumps = (): string[] => backup(["list"]).stdout.trim().split("\n").filter(Boolean);

it("brings back the records as they were, and keeps those that it replaces", async () => {
  await ask("create table readers (name text)");
  await ask("insert into readers values ('Mina')");
  expect(backup(["once"])).toMatchObject({ status: 0 });
  const [name = ""] = dumps();
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  await ask("insert into readers values ('Joon')");
  await ask("create table later (id int)");

  expect(backup(["restore", name])).toMatchObject({ status: 0 });
  expect(await ask("select name from readers")).toEqual([{ name: "Mina" }]);
  await expect(ask("select * from later")).rejects.toThrow(/does not exist/);
  const [former] = await databases();
  expect(await ask("select name from readers", former)).toEqual([{ name: "Mina" }, { name: "Joon" }]);
});

it("changes nothing while somebody is connected, or with what is no dump", async () => {
  await ask("create table if not exists kept (id int)");
  expect(backup(["once"])).toMatchObject({ status: 0 });
  const before = await databases();
  const client = new pg.Client({ connectionString: fresh.url });
  await client.connect();
  const refused = backup(["restore", dumps()[0]!]);
  await client.end();
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("1 connections") });
  expect(backup(["restore", "-"], { input: Buffer.from("no dump") })).toMatchObject({ status: 1 });
  expect(backup(["restore", "none.dump"])).toMatchObject({ status: 1 });
  expect(await databases()).toEqual(before);
  expect(await ask("select * from kept")).toEqual([]);
  expect(readdirSync(folder)).toEqual(dumps());
});

it("keeps the newest, leaves no half of one behind, and says when the last is too old", () => {
  const old = ["dayletter-2026-11-01T000000Z.dump", "dayletter-2026-11-02T000000Z.dump"];
  for (const name of old) {
    writeFileSync(join(folder, name), "");
    utimesSync(join(folder, name), new Date(0), new Date(0));
  }
  expect(backup(["check"]).status).toBe(1);
  const failed = backup(["once"], { env: { BACKUP_KEEP: "2", PGDATABASE: "no_such_database" } });
  expect(failed.status).toBe(1);
  expect(dumps()).toEqual(old.toReversed());
  expect(backup(["once"], { env: { BACKUP_KEEP: "2" } }).status).toBe(0);
  expect(dumps()).toEqual([expect.stringMatching(/^dayletter-/), old[1]]);
  expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  expect(backup(["check"]).status).toBe(0);
});

it.each([
  ["0", "14"],
  ["24", "none"],
])("refuses BACKUP_HOURS=%s with BACKUP_KEEP=%s", (BACKUP_HOURS, BACKUP_KEEP) => {
  expect(backup(["check"], { env: { BACKUP_HOURS, BACKUP_KEEP } })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("whole numbers of at least 1"),
  });
});
