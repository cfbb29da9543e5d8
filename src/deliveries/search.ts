import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import type { DeliveryState } from "../editions/state.ts";

export interface ListedDelivery {
  id: number;
  state: DeliveryState;
  /** null when the reader was erased. */
  subscriberId: number | null;
  address: string | null;
  /** Of the address at the freeze. */
  domain: string;
  attempts: number;
  /** Its articles, including those that do not fit into the email. */
  articles: number;
  reply: string | null;
  dueAt: Date | null;
  settledAt: Date | null;
}

/** Which deliveries of an edition; what is left out restricts nothing. */
export interface DeliverySearch {
  state?: DeliveryState | undefined;
  /** Of the receiving addresses, in whatever case. */
  domain?: string | undefined;
  /** Words of the last reply, in whatever case. */
  reply?: string | undefined;
}

const exportPage = 1_000;

/** A page of an edition's deliveries by id. @param page.after the last id of the page before, 0 for the first */
export async function listDeliveries(
  db: Db,
  editionId: number,
  page: { after: number; limit: number } & DeliverySearch,
): Promise<ListedDelivery[]> {
  const { state = null, domain = null, reply = null } = page;
  const words = reply === null ? null : `%${reply.replace(/[\\%_]/g, "\\$&")}%`;
  const { rows } = await sql<ListedDelivery>`
    select d.id, d.state, d.subscriber_id as "subscriberId", s.address, d.domain, d.attempts,
      cardinality(c.positions) as articles, d.reply, d.due_at as "dueAt", d.settled_at as "settledAt"
    from deliveries d
    join cohorts c on c.id = d.cohort_id
    left join subscribers s on s.id = d.subscriber_id
    where d.edition_id = ${editionId} and d.id > ${page.after}
      and (${state}::text is null or d.state = ${state})
      and (${domain}::text is null or lower(d.domain) = lower(${domain}))
      and (${words}::text is null or d.reply ilike ${words})
    order by d.id limit ${page.limit}`.execute(db);
  return rows;
}

/** All that a search finds, page by page, so that an edition of any size takes the same memory. */
export async function* findDeliveries(
  db: Db,
  editionId: number,
  search: DeliverySearch,
): AsyncGenerator<ListedDelivery[]> {
  for (let after = 0; ;) {
    const page = await listDeliveries(db, editionId, { ...search, after, limit: exportPage });
    const last = page.at(-1);
    if (!last) return;
    yield page;
    after = last.id;
  }
}

export interface OutcomeCount {
  domain: string;
  state: DeliveryState;
  count: number;
}

/** Deliveries of an edition by receiving domain and state, for the `most` domains with the most readers. */
export async function countByDomain(db: Db, editionId: number, most: number): Promise<OutcomeCount[]> {
  const { rows } = await sql<OutcomeCount>`
    with counted as (
      select lower(domain) as domain, state, count(*)::int as count, sum(count(*)) over (partition by lower(domain)) as readers
      from deliveries where edition_id = ${editionId} group by lower(domain), state
    ), ranked as (
      select domain, state, count, dense_rank() over (order by readers desc, domain) as rank from counted
    )
    select domain, state, count from ranked where rank <= ${most} order by rank, state`.execute(db);
  return rows;
}
