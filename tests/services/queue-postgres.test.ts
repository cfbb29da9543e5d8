import { migrateQueue } from "../../src/db/migrate.ts";
import { openPostgres } from "../../src/db/open.ts";
import { connectQueue } from "../../src/queue/connection.ts";
import { queueContract } from "../support/queue-contract.ts";
import { freshDatabase } from "../support/services.ts";

queueContract("PostgreSQL", async () => {
  const fresh = await freshDatabase();
  const database = openPostgres(fresh.url);
  await migrateQueue(database.pool);
  await database.close();
  const connection = connectQueue({ kind: "postgres", url: fresh.url });
  return {
    connection,
    close: async () => {
      await connection.close();
      await fresh.drop();
    },
  };
});
