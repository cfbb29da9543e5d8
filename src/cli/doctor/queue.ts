import { Redis } from "ioredis";
import { reasonOf } from "../../base/errors.ts";
import type { Config } from "../../config/load.ts";
import { fail, ok, warn, type Check } from "./check.ts";

const name = "queue";
/** Oldest version that BullMQ supports. */
const oldest = [6, 2] as const;

export async function checkQueue(config: Pick<Config, "redisUrl" | "embedded">): Promise<Check[]> {
  if (config.redisUrl !== null) return checkRedis(config.redisUrl);
  return [
    ok(
      name,
      config.embedded.queue === "postgres" ? "The queue is in PostgreSQL." : "The queue is in the embedded database.",
    ),
  ];
}

async function checkRedis(url: string): Promise<Check[]> {
  const { host } = new URL(url);
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  let reason: unknown;
  redis.on("error", (error) => (reason = error));
  try {
    await redis.connect();
    const info = `${await redis.info("server")}\n${await redis.info("memory")}\n${await redis.info("persistence")}`;
    return judgeRedis(host, info);
  } catch (error) {
    return [
      fail(
        name,
        `Redis at ${host} cannot be used (${reasonOf(reason ?? error)}). Check REDIS_URL, and that Redis is running.`,
      ),
    ];
  } finally {
    redis.disconnect();
  }
}

/** @param info sections server, memory and persistence of the INFO command */
export function judgeRedis(host: string, info: string): Check[] {
  const lines = info.split(/\r?\n/);
  const field = (key: string): string | null =>
    lines.find((line) => line.startsWith(`${key}:`))?.slice(key.length + 1) ?? null;
  const version = field("redis_version") ?? "of unknown version";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const checks: Check[] = [];
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    checks.push(fail(name, `Redis ${version} at ${host} is too old. Install ${oldest.join(".")} or newer.`));
  } else checks.push(ok(name, `Redis ${version} at ${host}.`));
  const policy = field("maxmemory_policy");
  if (policy !== null && policy !== "noeviction") {
    checks.push(
      warn(
        name,
        `Redis may delete jobs when its memory is full (maxmemory-policy ${policy}). Set maxmemory-policy to noeviction.`,
      ),
    );
  }
  if (field("aof_enabled") === "0") {
    checks.push(
      warn(
        name,
        "Redis loses jobs when it restarts. Dayletter recreates them within a minute. To keep them, set `appendonly yes`.",
      ),
    );
  }
  return checks;
}
