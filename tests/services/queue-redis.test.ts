import { connectQueue } from "../../src/queue/connection.ts";
import { queueContract } from "../support/queue-contract.ts";
import { freshRedis } from "../support/services.ts";

queueContract("Redis", async () => {
  const redis = await freshRedis();
  const connection = connectQueue({ kind: "redis", url: redis.url });
  return { connection, close: () => connection.close() };
});
