import { expect, it } from "vitest";
import { readMigrations } from "../../../src/db/migrate.ts";

it("migrations are numbered from 1 without a gap, and named after what they do", () => {
  const migrations = readMigrations();
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
  for (const { name } of migrations) expect(name).toMatch(/^\d{4}-[a-z0-9]+(-[a-z0-9]+)*$/);
});

// One transaction holds all pending migrations, and these cannot be part of one.
it.each(readMigrations())("migration $name can run inside a transaction", ({ sql }) => {
  expect(sql).not.toMatch(/\bconcurrently\b|\bvacuum\b|^\s*(begin|commit|rollback)\s*;/im);
});
