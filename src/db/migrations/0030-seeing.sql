-- What became of the emails that a provider accepted in an hour, whenever it was reported.
alter table provider_hours
  add column hard int not null default 0,
  add column soft int not null default 0,
  add column policy int not null default 0,
  add column complained int not null default 0;

-- When each way in has reported a bounce or complaint. `usual_pause` is the moving average of the seconds between two days with
-- reports.
create table report_sources (
  source text primary key,
  first_at timestamptz not null,
  last_at timestamptz not null,
  reports bigint not null,
  days int not null,
  usual_pause double precision
);

-- Who said that the address must not be mailed: a way in, or the relay. Lists of suppressions are read by page, the newest first.
alter table suppressions add column source text;
drop index suppressions_edition;
create index suppressions_newest on suppressions (created_at, address_hash);
create index suppressions_reason on suppressions (reason, created_at, address_hash);
create index suppressions_edition on suppressions (edition_id, created_at, address_hash) where edition_id is not null;

-- The hash that a reader's suppression has, so that it can be found from there. It is filled when it is first needed.
alter table subscribers add column address_hash bytea;
create index subscribers_address_hash on subscribers (address_hash) where address_hash is not null;
create index subscribers_unhashed on subscribers (id) where status = 'suppressed' and address_hash is null;
