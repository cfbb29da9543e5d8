-- What all workers know of each mailbox provider. `version` counts changes, so that two workers cannot overwrite each other.
create table providers (
  name text primary key,
  state text not null check (state in ('open', 'paused', 'growing', 'blocked')),
  until timestamptz,
  width int,
  failures int not null,
  reply text,
  changed_at timestamptz not null,
  version int not null
);

-- Which provider a receiving domain belongs to: from the program's table (`expires_at` is null) or from the domain's MX records.
create table provider_domains (
  domain text primary key,
  provider text not null,
  looked_up_at timestamptz,
  expires_at timestamptz
);

-- Replies by provider and hour. `minute` with its two counts gives the present rate.
create table provider_hours (
  provider text not null,
  hour timestamptz not null,
  accepted int not null,
  deferred int not null,
  refused int not null,
  minute timestamptz not null,
  this_minute int not null,
  last_minute int not null,
  primary key (provider, hour)
);
create index provider_hours_hour on provider_hours (hour);
