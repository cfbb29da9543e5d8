-- Deliveries are kept in blocks of 16 editions, so that retention drops a block as a whole instead of deleting its rows. Only
-- then `final_counts` has the numbers of an edition.
alter table editions add column final_counts jsonb;

alter table deliveries rename to deliveries_first;
alter table deliveries_first
  alter column id drop identity,
  drop constraint deliveries_pkey,
  drop constraint deliveries_edition_id_subscriber_id_key,
  drop constraint deliveries_edition_id_fkey,
  drop constraint deliveries_subscriber_id_fkey;
drop index open_deliveries, claimed_deliveries, failed_deliveries, deliveries_subscriber;

create table deliveries (
  like deliveries_first including defaults including constraints,
  primary key (edition_id, id),
  unique (edition_id, subscriber_id),
  foreign key (edition_id) references editions on delete cascade,
  foreign key (subscriber_id) references subscribers on delete set null
) partition by range (edition_id);
alter table deliveries alter column id add generated always as identity;

create index open_deliveries on deliveries (edition_id, slice, id) where state in ('pending', 'deferred');
create index claimed_deliveries on deliveries (claim) where state = 'sending';
create index deliveries_subscriber on deliveries (subscriber_id);
create index failed_deliveries on deliveries (edition_id, state) where state in ('rejected', 'expired', 'unknown');

do $$
declare
  first_block constant bigint := (select coalesce(max(id), -1) / 16 + 1 from editions);
begin
  perform setval(pg_get_serial_sequence('deliveries', 'id'), coalesce(max(id), 0) + 1, false) from deliveries_first;
  execute format('alter table deliveries attach partition deliveries_first for values from (minvalue) to (%s)', first_block * 16);
end
$$;
