import { sql, type RawBuilder } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { ownDomains, providerOf } from "./provider-of.ts";
import { openStanding, type Standing } from "./state.ts";

/** A provider's row. `version` is 0 for one that has no row. */
export interface KnownProvider extends Standing {
  name: string;
  reply: string | null;
  changedAt: Date | null;
  version: number;
}

const columns = sql`name, state, until, width, failures, reply, changed_at as "changedAt", version`;

/** Providers that do not accept everything at present. */
export async function limitedProviders(db: Db | Tx): Promise<KnownProvider[]> {
  const { rows } = await sql<KnownProvider>`
    select ${columns} from providers where state <> 'open' order by name`.execute(db);
  return rows;
}

export async function readProvider(db: Db | Tx, name: string): Promise<KnownProvider> {
  const { rows } = await sql<KnownProvider>`select ${columns} from providers where name = ${name}`.execute(db);
  return rows[0] ?? { ...openStanding, name, reply: null, changedAt: null, version: 0 };
}

/** A provider that has a row or was sent to in the last 24 hours; null for any other name. */
export async function findProvider(db: Db, name: string, now: Date): Promise<KnownProvider | null> {
  const provider = await readProvider(db, name);
  if (provider.version > 0) return provider;
  const { rows } = await sql`
    select from provider_hours where provider = ${name} and hour > ${now}::timestamptz - interval '24 hours' limit 1`.execute(
    db,
  );
  return rows.length > 0 ? provider : null;
}

/**
 * Writes a provider, unless another worker has changed it since it was read.
 * @param next with the version that it was read with
 * @returns whether it was written
 */
export async function writeProvider(db: Db | Tx, next: KnownProvider & { changedAt: Date }): Promise<boolean> {
  const { name, state, until, width, failures, reply, changedAt, version } = next;
  const { numAffectedRows } = await sql`
    insert into providers (name, state, until, width, failures, reply, changed_at, version)
    values (${name}, ${state}, ${until}, ${width}, ${failures}, ${reply}, ${changedAt}, 1)
    on conflict (name) do update set state = excluded.state, until = excluded.until, width = excluded.width,
      failures = excluded.failures, reply = excluded.reply, changed_at = excluded.changed_at, version = providers.version + 1
    where providers.version = ${version}`.execute(db);
  return numAffectedRows === 1n;
}

/** Names of providers to which nothing may be sent now. */
export async function closedProviders(db: Db | Tx, now: Date): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from providers where state in ('paused', 'blocked') and until > ${now}`.execute(db);
  return rows.map(({ name }) => name);
}

/** The join that knows the provider of delivery `d`, as `p.provider`; null if its domain was never looked up. */
export const joinProvider: RawBuilder<unknown> = sql`left join provider_domains p on p.domain = d.domain`;
/** The provider of delivery `d`. */
export const providerColumn: RawBuilder<string> = sql<string>`coalesce(p.provider, d.domain)`;

/** That neither the domain nor the provider of delivery `d` is among the names. */
export function isNoneOf(names: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`(d.domain <> all(${names}::text[]) and ${providerColumn} <> all(${names}::text[]))`;
}

/** The provider of each domain, as far as it is known. */
export async function providersOfDomains(db: Db | Tx, domains: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ domain: string; provider: string }>`
    select domain, provider from provider_domains where domain = any(${domains}::text[])`.execute(db);
  const known = new Map(rows.map(({ domain, provider }) => [domain, provider]));
  return new Map(domains.map((domain) => [domain, known.get(domain) ?? providerOf(domain)]));
}

/** Writes this release's table of large providers, in place of the last release's. Those rows never expire. */
export async function writeOwnDomains(db: Db): Promise<void> {
  const [domains, providers] = [[...ownDomains.keys()], [...ownDomains.values()]];
  await sql`delete from provider_domains where expires_at is null and domain <> all(${domains}::text[])`.execute(db);
  await sql`
    insert into provider_domains (domain, provider)
    select * from unnest(${domains}::text[], ${providers}::text[])
    on conflict (domain) do update set provider = excluded.provider, looked_up_at = null, expires_at = null
    where (provider_domains.provider, provider_domains.expires_at is null) is distinct from (excluded.provider, true)`.execute(
    db,
  );
}

/**
 * Domains of an edition whose MX records are unknown or were looked up too long ago, those with the most readers first.
 */
export async function domainsToLookUp(
  db: Db,
  { editionId, now, most }: { editionId: number; now: Date; most: number },
): Promise<string[]> {
  const { rows } = await sql<{ domain: string }>`
    select d.domain from (
      select domain, count(*) as readers from deliveries where edition_id = ${editionId} group by domain
    ) d
    left join provider_domains p on p.domain = d.domain
    where p.domain is null or p.expires_at <= ${now}
    order by d.readers desc, d.domain limit ${most}`.execute(db);
  return rows.map(({ domain }) => domain);
}

export interface LookedUp {
  domain: string;
  provider: string;
  expiresAt: Date;
}

/** Writes answers of a lookup. A domain of the program's own table keeps its provider. */
export async function writeLookedUp(db: Db, found: readonly LookedUp[], now: Date): Promise<void> {
  await sql`
    insert into provider_domains (domain, provider, looked_up_at, expires_at)
    select domain, provider, ${now}, expires_at::timestamptz from unnest(
      ${found.map(({ domain }) => domain)}::text[], ${found.map(({ provider }) => provider)}::text[],
      ${found.map(({ expiresAt }) => expiresAt.toISOString())}::text[]
    ) as g(domain, provider, expires_at)
    on conflict (domain) do update set provider = excluded.provider, looked_up_at = excluded.looked_up_at,
      expires_at = excluded.expires_at
    where provider_domains.expires_at is not null`.execute(db);
}

/** Replies of one provider since the last write. */
export interface ProviderCounts {
  accepted: number;
  deferred: number;
  refused: number;
}

/** Adds counts to the present hour and minute. */
export async function addCounts(db: Db, counts: ReadonlyMap<string, ProviderCounts>, now: Date): Promise<void> {
  const values = [...counts.values()];
  const numbers = (of: (one: ProviderCounts) => number): number[] => values.map(of);
  await sql`
    insert into provider_hours as h (provider, hour, accepted, deferred, refused, minute, this_minute, last_minute)
    select provider, date_trunc('hour', ${now}::timestamptz), accepted, deferred, refused,
      date_trunc('minute', ${now}::timestamptz), accepted, 0
    from unnest(
      ${[...counts.keys()]}::text[], ${numbers((one) => one.accepted)}::int[],
      ${numbers((one) => one.deferred)}::int[], ${numbers((one) => one.refused)}::int[]
    ) as g(provider, accepted, deferred, refused)
    order by provider
    on conflict (provider, hour) do update set
      accepted = h.accepted + excluded.accepted, deferred = h.deferred + excluded.deferred,
      refused = h.refused + excluded.refused, minute = excluded.minute,
      this_minute = excluded.this_minute + case when h.minute = excluded.minute then h.this_minute else 0 end,
      last_minute = case
        when h.minute = excluded.minute then h.last_minute
        when h.minute = excluded.minute - interval '1 minute' then h.this_minute
        else 0
      end`.execute(db);
}

/** What became of emails after the relay had accepted them. */
export interface LaterCounts {
  hard: number;
  soft: number;
  policy: number;
  complained: number;
}

/** Adds to what became of the emails that a provider accepted at a time. @param more counts, also negative ones */
export async function addLaterCounts(
  db: Db | Tx,
  { provider, at }: { provider: string; at: Date },
  more: Partial<LaterCounts>,
): Promise<void> {
  const { hard = 0, soft = 0, policy = 0, complained = 0 } = more;
  await sql`
    insert into provider_hours as h (provider, hour, accepted, deferred, refused, minute, this_minute, last_minute,
      hard, soft, policy, complained)
    values (${provider}, date_trunc('hour', ${at}::timestamptz), 0, 0, 0, 'epoch', 0, 0, ${hard}, ${soft}, ${policy}, ${complained})
    on conflict (provider, hour) do update set hard = h.hard + excluded.hard, soft = h.soft + excluded.soft,
      policy = h.policy + excluded.policy, complained = h.complained + excluded.complained`.execute(db);
}

/** Emails that a provider accepted, and what became of them. */
export interface ProviderOutcomes extends LaterCounts {
  name: string;
  emails: number;
}

/** Bounces come back for five days (RFC 5321 §4.5.4.1), and a week has the same days for everybody. */
export const outcomeDays = 7;

/** Of the emails of the last `outcomeDays`: the providers that accepted the most first. */
export async function listProviderOutcomes(db: Db | Tx, now: Date, most: number): Promise<ProviderOutcomes[]> {
  const { rows } = await sql<ProviderOutcomes>`
    select provider as name, sum(accepted)::int as emails, sum(hard)::int as hard, sum(soft)::int as soft,
      sum(policy)::int as policy, sum(complained)::int as complained
    from provider_hours where hour > ${now}::timestamptz - ${outcomeDays} * interval '1 day'
    group by provider having sum(accepted + hard + soft + policy + complained) > 0
    order by 2 desc, 1 limit ${most}`.execute(db);
  return rows;
}

/** A provider as operators see it. */
export interface ListedProvider extends KnownProvider {
  /** Replies of the last 24 hours. */
  accepted: number;
  deferred: number;
  refused: number;
  /** Emails accepted in the last minute. */
  perMinute: number;
}

/** Providers of the last 24 hours: those with a pause or block first, then by the number of replies. */
export async function listProviders(db: Db, now: Date, most: number): Promise<ListedProvider[]> {
  const minute = sql`date_trunc('minute', ${now}::timestamptz)`;
  // The present minute is not over: the last one counts for the rest of it.
  const rest = sql`(1 - extract(epoch from ${now}::timestamptz - ${minute}) / 60)`;
  const { rows } = await sql<ListedProvider>`
    with counted as (
      select provider, sum(accepted)::int as accepted, sum(deferred)::int as deferred, sum(refused)::int as refused,
        round(sum(case
          when minute = ${minute} then this_minute + last_minute * ${rest}
          when minute = ${minute} - interval '1 minute' then this_minute * ${rest}
          else 0
        end))::int as per_minute
      from provider_hours where hour > ${now}::timestamptz - interval '24 hours' group by provider
    )
    select coalesce(s.name, c.provider) as name, coalesce(s.state, 'open') as state, s.until, s.width,
      coalesce(s.failures, 0) as failures, s.reply, s.changed_at as "changedAt", coalesce(s.version, 0) as version,
      coalesce(c.accepted, 0) as accepted, coalesce(c.deferred, 0) as deferred, coalesce(c.refused, 0) as refused,
      coalesce(c.per_minute, 0) as "perMinute"
    from counted c
    full join (
      select * from providers where state <> 'open' or changed_at > ${now}::timestamptz - interval '24 hours'
    ) s on s.name = c.provider
    order by coalesce(s.state, 'open') = 'open', coalesce(c.accepted + c.deferred + c.refused, 0) desc, 1
    limit ${most}`.execute(db);
  return rows;
}
