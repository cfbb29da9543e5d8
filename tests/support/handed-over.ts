import { sql } from "kysely";
import type { App } from "../../src/app.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { addArticle } from "./readers.ts";

/** An edition with a new article that the relay has accepted for all readers at this time. @returns its id */
export async function handedOver(app: App, state = "finished"): Promise<number> {
  const at = app.clock.now();
  await addArticle(app, `News of ${at.toISOString()}`);
  const { id } = await sendNow(app, { extra: false, actor: "test" });
  await sql`update deliveries set state = 'sent', attempts = 1, reply = '250 ok', settled_at = ${at}, due_at = null
    where edition_id = ${id}`.execute(app.db);
  await sql`update editions set state = ${state}, sending_at = ${at}, closed_at = case when ${state} = 'finished' then ${at}::timestamptz end
    where id = ${id}`.execute(app.db);
  return id;
}
