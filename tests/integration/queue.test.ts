import { openEmbedded } from "../../src/db/open.ts";
import { connectQueue } from "../../src/queue/connection.ts";
import { queueContract } from "../support/queue-contract.ts";

queueContract("the embedded engine", async () => {
  const database = await openEmbedded(null);
  const connection = connectQueue({ kind: "embedded", pool: database.pool });
  return {
    connection,
    close: async () => {
      await connection.close();
      await database.close();
    },
  };
});
