import { sql } from "kysely";
import type { Log } from "../base/log.ts";
import { refuseInvalid, type Config, type SettingsSource } from "../config/load.ts";
import { ConfigError } from "../config/problems.ts";
import type { SavedSettings } from "../config/saved-settings.ts";
import { sharedSettings } from "../config/settings.ts";
import type { Db, Tx } from "./schema.ts";

interface Stored {
  values: Record<string, string>;
  /** Of PUBLICATION_LOGO. */
  logo: Buffer | null;
}

/**
 * The settings that all processes of a database share, and what they are together with this process's environment. A stored
 * value that this release cannot read is ignored, because a process that does not start could not correct it.
 */
export async function openStored(
  { db, log }: { db: Db; log: Log },
  source: SettingsSource,
): Promise<{ settings: SavedSettings; config: Config }> {
  const opened = await readStored(db);
  const { config, unread } = combine(source, opened);
  if (unread.length > 0) log.error({ settings: unread }, "stored settings cannot be read and are ignored");
  return { config, settings: storedSettings(db, source, opened) };
}

function storedSettings(db: Db, { fixed, combine: together }: SettingsSource, opened: Stored): SavedSettings {
  const version = versionOf(opened.values);
  const check = (before: Stored, change: Readonly<Record<string, string>>, logo: Buffer | null): void => {
    // A form without the postal address cannot correct that it is missing.
    const addressLater = change["POSTAL_ADDRESS"] === undefined;
    refuseInvalid(() => together({ ...before.values, ...change }, { logo, addressLater }));
  };
  return {
    place: "database",
    fixed: (name) => (fixed.has(name) ? "set" : sharedSettings.some((one) => one === name) ? null : "only"),
    values: () => storedValues(db),
    async check(change) {
      const before = await readStored(db);
      check(before, change, before.logo);
    },
    async save(tx, change, logo) {
      // Two operators who save at the same time could otherwise store values that are not valid together.
      await sql`lock table settings in share row exclusive mode`.execute(tx);
      const before = await readStored(tx);
      const open = sharedSettings.filter((name) => change[name] !== undefined && !fixed.has(name));
      const kept = Object.fromEntries(open.map((name) => [name, change[name]!]));
      check(before, kept, logo?.content ?? before.logo);
      for (const [name, value] of Object.entries(kept)) {
        await store(tx, { name, value, content: name === "PUBLICATION_LOGO" ? (logo?.content ?? null) : null });
      }
    },
    isOutdated: async () => versionOf(await storedValues(db)) !== version,
    undo: () => false,
  };
}

/** The saved values. */
export async function storedValues(db: Db): Promise<Record<string, string>> {
  return valuesOf(await db.selectFrom("settings").select(["name", "value"]).orderBy("name").execute());
}

/**
 * Saves settings that one process kept in a file, when its records move to this database.
 * @param logo the content of PUBLICATION_LOGO; without it, the logo is not taken over
 * @returns the names of those that only the environment can have here
 */
export async function takeOverSettings(
  db: Db,
  values: Readonly<Record<string, string>>,
  logo: Buffer | null,
): Promise<string[]> {
  const [taken, left]: [string[], string[]] = [[], []];
  for (const name of Object.keys(values)) {
    const fits = sharedSettings.some((one) => one === name) && (name !== "PUBLICATION_LOGO" || logo !== null);
    (fits ? taken : left).push(name);
  }
  await db.transaction().execute(async (tx) => {
    for (const name of taken) {
      await store(tx, { name, value: values[name]!, content: name === "PUBLICATION_LOGO" ? logo : null });
    }
  });
  return left;
}

async function store(tx: Tx, row: { name: string; value: string; content: Buffer | null }): Promise<void> {
  await tx.deleteFrom("settings").where("name", "=", row.name).execute();
  if (row.value !== "") await tx.insertInto("settings").values(row).execute();
}

async function readStored(db: Db | Tx): Promise<Stored> {
  const rows = await db.selectFrom("settings").selectAll().orderBy("name").execute();
  return {
    values: valuesOf(rows),
    logo: rows.find(({ name }) => name === "PUBLICATION_LOGO")?.content ?? null,
  };
}

function valuesOf(rows: readonly { name: string; value: string }[]): Stored["values"] {
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

/** The name of a logo has a hash of its content. */
const versionOf = (values: Stored["values"]): string => JSON.stringify(values);

function combine(source: SettingsSource, { values, logo }: Stored): { config: Config; unread: string[] } {
  try {
    return { config: source.combine(values, { logo, addressLater: true }), unread: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const wrong = new Set(error.problems.map(({ name }) => name));
    const readable = Object.fromEntries(Object.entries(values).filter(([name]) => !wrong.has(name)));
    return {
      config: source.combine(readable, { logo: readable["PUBLICATION_LOGO"] ? logo : null, addressLater: true }),
      unread: Object.keys(values).filter((name) => wrong.has(name)),
    };
  }
}
