import { sql, type RawBuilder } from "kysely";

/**
 * That a row of `subscribers` gets an edition that is frozen at `now`: an active reader who is not pausing, by their own wish or
 * because a question was not answered.
 * @param alias of the table in the query
 */
export function isReading(alias: string, now: Date): RawBuilder<boolean> {
  const column = (name: string) => sql.ref(`${alias}.${name}`);
  return sql<boolean>`(${column("status")} = 'active' and ${column("paused_since")} is null
    and coalesce(${column("paused_until")} <= ${now}, true))`;
}
