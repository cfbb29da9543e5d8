import { expect, it } from "vitest";
import { readMigrations } from "../../../src/db/migrate.ts";

// A gap does no harm: what a database has had is known by each number.
it("migrations have a number each, upwards, and are named after what they do", () => {
  const migrations = readMigrations();
  const numbers = migrations.map(({ version }) => version);
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  for (const { name } of migrations) expect(name).toMatch(/^\d{4}-[a-z0-9]+(-[a-z0-9]+)*$/);
});

// One transaction holds all pending migrations, and these cannot be part of one.
it.each(readMigrations())("migration $name can run inside a transaction", ({ sql }) => {
  expect(sql).not.toMatch(/\bconcurrently\b|\bvacuum\b|^\s*(begin|commit|rollback)\s*;/im);
});
