import { openPostgres } from "../../src/db/open.ts";
import { engineContract } from "../support/engine-contract.ts";
import { freshDatabase } from "../support/services.ts";

engineContract("PostgreSQL", async () => {
  const fresh = await freshDatabase();
  const database = openPostgres(fresh.url);
  return {
    ...database,
    close: async () => {
      await database.close();
      await fresh.drop();
    },
  };
});
