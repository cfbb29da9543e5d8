import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import type { Edition } from "../editions/store.ts";
import type { FaultData } from "../mail/verdict.ts";
import type { OutcomeCode } from "../ledger/outcome.ts";
import type { DeliveryState } from "../ledger/state.ts";
import { type Balance, emptyBalance } from "../ledger/balance.ts";
import { retryable } from "./store.ts";

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
  /** Why this program, not the relay, gave it its state. */
  code: OutcomeCode | null;
  data: FaultData | null;
  /** The relay's last reply. */
  reply: string | null;
  dueAt: Date | null;
  settledAt: Date | null;
}

/** Which deliveries of an edition; what is left out restricts nothing. */
export interface DeliverySearch {
  state?: DeliveryState | undefined;
  /** Of the receiving addresses, in whatever case. */
  domain?: string | undefined;
  /** Words of the last reply, in whatever case, or a code. */
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
      cardinality(c.positions) as articles, d.reason_code as code, d.reason_data as data, d.reply,
      d.due_at as "dueAt", d.settled_at as "settledAt"
    from deliveries d
    join cohorts c on c.id = d.cohort_id
    left join subscribers s on s.id = d.subscriber_id
    where d.edition_id = ${editionId} and d.id > ${page.after}
      and (${state}::text is null or d.state = ${state})
      and (${domain}::text is null or lower(d.domain) = lower(${domain}))
      and (${words}::text is null or d.reply ilike ${words} or d.reason_code = ${reply})
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

/** The deliveries of an edition at one moment. */
export interface Tally {
  balance: Balance;
  /** By receiving domain and state, for the domains with the most readers. */
  domains: OutcomeCount[];
  /** The next attempt of a deferred delivery; null without one. */
  nextTry: Date | null;
  /** What a retry would send again. */
  retryable: number;
}

/**
 * Counts the deliveries of editions by state and by receiving domain, all at the same moment, so that the figures agree.
 * @param most the number of domains, for each edition
 */
export async function tallyEditions(
  db: Db,
  editions: readonly Pick<Edition, "id" | "selected" | "final_counts">[],
  most: number,
): Promise<Map<number, Tally>> {
  const tallies = new Map(
    editions.map((one): [number, Tally] => [
      one.id,
      { balance: { ...emptyBalance(one.selected), ...one.final_counts }, domains: [], nextTry: null, retryable: 0 },
    ]),
  );
  const kept = editions.filter((one) => one.final_counts === null).map(({ id }) => id);
  if (kept.length === 0) return tallies;
  const { rows } = await sql<OutcomeCount & { edition: number; nextTry: Date | null; retryable: number }>`
    with counted as (
      select edition_id, lower(domain) as domain, state, count(*)::int as count,
        min(due_at) filter (where state = 'deferred') as next_try,
        sum(count(*)) over (partition by edition_id, lower(domain)) as readers
      from deliveries where edition_id = any(${kept}::bigint[])
      group by edition_id, lower(domain), state
    ), ranked as (
      select *, dense_rank() over (partition by edition_id order by readers desc, domain) as rank from counted
    ), named as (
      select edition_id, state, count, next_try, least(rank, ${most + 1}::bigint) as place,
        case when rank <= ${most} then domain else '' end as domain
      from ranked
    ), again as (${retryable(kept)})
    select edition_id as edition, domain, state, sum(named.count)::int as count, min(next_try) as "nextTry",
      coalesce(max(again.count), 0) as retryable
    from named left join again using (edition_id) group by edition_id, place, domain, state order by edition_id, place, state`.execute(
    db,
  );
  for (const { edition, domain, state, count, nextTry, retryable: again } of rows) {
    const tally = tallies.get(edition)!;
    tally.retryable = again;
    tally.balance[state] += count;
    if (domain !== "") tally.domains.push({ domain, state, count });
    if (nextTry !== null && (tally.nextTry === null || nextTry < tally.nextTry)) tally.nextTry = nextTry;
  }
  return tallies;
}
