import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { goneShare } from "../deliveries/watches.ts";
import { answeredUpTo } from "../deliveries/store.ts";
import { listReportSources } from "../outcomes/report-sources.ts";
import { limitedProviders, listProviderOutcomes } from "../providers/store.ts";
import { complaint } from "../subscribers/suppressions.ts";
import { usualEditions } from "../editions/pre-send-checks.ts";
import { editionName } from "../base/edition-name.ts";
import type {
  AlertData,
  AlertFacts,
  AlertKind,
  OpenAlert,
  Trouble,
  WatchedEdition,
  WatchedSource,
} from "./conditions.ts";

const dayMs = 24 * 3_600_000;
const lookBackMs = 7 * dayMs;
const keptMs = 90 * dayMs;

export interface Alert extends OpenAlert {
  clearedAt: Date | null;
}

/** Alerts that operators were notified of, open ones first, then newest first. */
export async function listAlerts(db: Db, limit: number): Promise<Alert[]> {
  const { rows } = await sql<Alert>`
    select ${columns} from alerts where notified_at is not null
    order by cleared_at is not null, notified_at desc, id desc limit ${limit}`.execute(db);
  return rows;
}

const columns = sql`
  id, kind, subject, data, seen_at as "seenAt", notified_at as "notifiedAt", cleared_at as "clearedAt"`;

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
    .values(troubles.map(({ data, ...trouble }) => ({ ...trouble, data: JSON.stringify(data), seen_at: now })))
    .returning(["id", "kind", "subject", "data", "seen_at as seenAt", "notified_at as notifiedAt"])
    .execute();
  return rows.map((row) => ({ ...row, kind: row.kind as AlertKind, data: row.data as AlertData }));
}

export async function markAlerts(
  tx: Tx,
  alerts: readonly OpenAlert[],
  mark: { notified_at: Date } | { cleared_at: Date },
): Promise<void> {
  if (alerts.length === 0) return;
  const ids = alerts.map((alert) => alert.id);
  await tx.updateTable("alerts").set(mark).where("id", "in", ids).execute();
}

export async function changeAlert(tx: Tx, id: number, data: AlertData): Promise<void> {
  await tx
    .updateTable("alerts")
    .set({ data: JSON.stringify(data) })
    .where("id", "=", id)
    .execute();
}

/** Deletes alerts that cleared long ago. */
export async function forgetAlerts(tx: Tx, now: Date): Promise<void> {
  await tx
    .deleteFrom("alerts")
    .where("cleared_at", "<", new Date(now.getTime() - keptMs))
    .execute();
}

/** The editions, feeds, mailbox providers and ways in for reports to check for problems. */
export async function loadFacts(
  db: Db | Tx,
  now: Date,
): Promise<Pick<AlertFacts, "editions" | "feeds" | "blocked" | "outcomes" | "sources">> {
  const { rows } = await sql<Omit<WatchedEdition, "name"> & { date: string; number: number }>`
    select e.id, e.date, e.number, e.state, e.articles, e.readers, e.selected, e.gone_accepted as "goneAccepted",
      case when e.reason_code is not null then json_build_object('code', e.reason_code, 'data', e.reason_data) end as reason,
      g.suppressed, ${answeredUpTo(sql`e.id`, sql`g.suppressed * ${goneShare}`)} as answered,
      coalesce(f.rejected, 0) as rejected, coalesce(f.expired, 0) as expired, coalesce(f.unknown, 0) as unknown,
      e.state = 'missed' and exists (select 1 from editions n where n.date > e.date and n.sending_at is not null) as overtaken,
      p.past, e.closed_at as "closedAt", coalesce(o.policy, 0) as policy,
      e.selected - coalesce((e.warm_up ->> 'leftOut')::int, 0) as recipients
    from editions e
    left join outcome_counts o on o.edition_id = e.id
    cross join lateral (select count(*)::int as suppressed from suppressions s
        where s.edition_id = e.id and s.reason <> ${complaint}) g
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
    .select(["id", "title", "failures", "read_error", "succeeded_at", "created_at"])
    .where("kind", "=", "feed")
    .orderBy("id")
    .execute();
  return {
    editions: rows.map(({ date, number, ...edition }) => ({ ...edition, name: editionName({ date, number }) })),
    feeds: feeds.map(({ succeeded_at, created_at, read_error, ...feed }) => ({
      ...feed,
      lastError: read_error,
      wellAt: succeeded_at ?? created_at,
    })),
    blocked: (await limitedProviders(db)).filter(({ state }) => state === "blocked"),
    outcomes: await listProviderOutcomes(db, now, mostProviders),
    sources: await watchedSources(db),
  };
}

/** The others have too few emails to tell. */
const mostProviders = 1_000;

async function watchedSources(db: Db | Tx): Promise<WatchedSource[]> {
  const sources = await listReportSources(db);
  const watched: WatchedSource[] = [];
  for (const source of sources) {
    const { rows } = await sql<{ editions: number }>`
      select count(*)::int as editions from editions where sending_at > ${source.lastAt} and selected > 0`.execute(db);
    watched.push({ ...source, editions: rows[0]!.editions });
  }
  return watched;
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
