import { sql } from "kysely";
import type { Db, Tx } from "../../db/schema.ts";
import { goneShare } from "../../deliveries/gone.ts";
import { answeredUpTo } from "../../deliveries/store.ts";
import { usualEditions } from "../../editions/pre-send-checks.ts";
import { editionName } from "../../base/edition-name.ts";
import type { OpenAlert } from "./compare.ts";
import type { AlertFacts, AlertKind, Trouble, WatchedEdition } from "./conditions.ts";

const dayMs = 24 * 3_600_000;
const lookBackMs = 7 * dayMs;
const keptMs = 90 * dayMs;

export interface Alert extends OpenAlert {
  clearedAt: Date | null;
}

/** Alerts that operators were notified of, open ones first, then newest first. */
export async function listAlerts(db: Db, limit: number): Promise<Alert[]> {
  const { rows } = await sql<Alert>`
    select ${columns} from alerts where told_at is not null
    order by cleared_at is not null, told_at desc, id desc limit ${limit}`.execute(db);
  return rows;
}

const columns = sql`
  id, kind, subject, sentence, seen_at as "seenAt", told_at as "toldAt", cleared_at as "clearedAt"`;

export async function openAlerts(db: Db | Tx): Promise<OpenAlert[]> {
  const { rows } = await sql<Alert>`select ${columns} from alerts where cleared_at is null order by id`.execute(db);
  return rows;
}

/** Prevents other nodes from comparing at the same time, until the transaction ends. */
export async function lockAlerts(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('dayletter:alerts'))`.execute(tx);
}

export async function insertAlerts(tx: Tx, troubles: readonly Trouble[], now: Date): Promise<OpenAlert[]> {
  if (troubles.length === 0) return [];
  const rows = await tx
    .insertInto("alerts")
    .values(troubles.map((trouble) => ({ ...trouble, seen_at: now })))
    .returning(["id", "kind", "subject", "sentence", "seen_at as seenAt", "told_at as toldAt"])
    .execute();
  return rows.map((row) => ({ ...row, kind: row.kind as AlertKind }));
}

export async function markAlerts(
  tx: Tx,
  alerts: readonly OpenAlert[],
  mark: { told_at: Date } | { cleared_at: Date },
): Promise<void> {
  if (alerts.length === 0) return;
  const ids = alerts.map((alert) => alert.id);
  await tx.updateTable("alerts").set(mark).where("id", "in", ids).execute();
}

export async function rewordAlert(tx: Tx, id: number, sentence: string): Promise<void> {
  await tx.updateTable("alerts").set({ sentence }).where("id", "=", id).execute();
}

/** Deletes alerts that cleared long ago. */
export async function forgetAlerts(tx: Tx, now: Date): Promise<void> {
  await tx
    .deleteFrom("alerts")
    .where("cleared_at", "<", new Date(now.getTime() - keptMs))
    .execute();
}

/** The editions and feeds to check for problems. */
export async function loadFacts(db: Db | Tx, now: Date): Promise<Pick<AlertFacts, "editions" | "feeds">> {
  const { rows } = await sql<Omit<WatchedEdition, "name"> & { date: string; number: number }>`
    select e.id, e.date, e.number, e.state, e.articles, e.readers, e.selected, e.gone_accepted as "goneAccepted",
      case when e.reason_code is not null then json_build_object('code', e.reason_code, 'data', e.reason_data) end as reason,
      g.suppressed, ${answeredUpTo(sql`e.id`, sql`g.suppressed * ${goneShare}`)} as answered,
      coalesce(f.rejected, 0) as rejected, coalesce(f.expired, 0) as expired, coalesce(f.unknown, 0) as unknown,
      e.state = 'missed' and exists (select 1 from editions n where n.date > e.date and n.sending_at is not null) as overtaken,
      p.past
    from editions e
    cross join lateral (select count(*)::int as suppressed from suppressions s where s.edition_id = e.id) g
    left join lateral (
      select count(*) filter (where state = 'rejected')::int as rejected,
        count(*) filter (where state = 'expired')::int as expired,
        count(*) filter (where state = 'unknown')::int as unknown
      from deliveries d where d.edition_id = e.id and d.state in ('rejected', 'expired', 'unknown')
    ) f on true
    left join lateral (${pastOf}) p on e.number = 1 and e.selected = 0 and e.approved_by is null
      and e.state in ('empty', 'finished')
      and not exists (select 1 from editions n where n.opened_at > e.opened_at and n.selected > 0)
    where e.opened_at > ${new Date(now.getTime() - lookBackMs)} order by e.id`.execute(db);
  const feeds = await db
    .selectFrom("sources")
    .select(["id", "title", "failures", "last_error as lastError", "succeeded_at", "created_at"])
    .where("kind", "=", "feed")
    .orderBy("id")
    .execute();
  return {
    editions: rows.map(({ date, number, ...edition }) => ({ ...edition, name: editionName({ date, number }) })),
    feeds: feeds.map(({ succeeded_at, created_at, ...feed }) => ({ ...feed, wellAt: succeeded_at ?? created_at })),
  };
}

/** The minimum counts of the regular editions before `e`, without empty ones that operators sent by hand. */
const pastOf = sql`
  select json_build_object('editions', count(*), 'articles', min(articles), 'selected', min(selected)) as past
  from (
    select articles, selected from editions b
    where b.number = 1 and b.date < e.date
      and (b.state = 'finished' or b.state = 'empty' and b.approved_by is null)
    order by b.date desc limit ${usualEditions}
  ) before`;
