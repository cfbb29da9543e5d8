import { randomBytes } from "node:crypto";
import { freshDatabase, freshRedis, services } from "./services.ts";

/** Where records and queue live for a story that must be the same everywhere. */
export interface Engines {
  name: string;
  /** Settings that choose them, and how to give them back. Empty ones each time. */
  open(): Promise<{ env: Record<string, string>; close(): Promise<void> }>;
}

const embedded: Engines = { name: "embedded", open: async () => ({ env: {}, close: async () => undefined }) };

const postgresAndRedis: Engines = {
  name: "PostgreSQL and Redis",
  async open() {
    const database = await freshDatabase();
    const redis = await freshRedis();
    return { env: { DATABASE_URL: database.url, REDIS_URL: redis.url, SECRET: secret }, close: () => database.drop() };
  },
};

const postgresAlone: Engines = {
  name: "PostgreSQL alone",
  async open() {
    const database = await freshDatabase();
    return { env: { DATABASE_URL: database.url, SECRET: secret }, close: () => database.drop() };
  },
};

const secret = randomBytes(24).toString("hex");

/** The embedded engines always, the real servers where this run has them. */
export const allEngines: readonly Engines[] =
  services() === null ? [embedded] : [embedded, postgresAndRedis, postgresAlone];
