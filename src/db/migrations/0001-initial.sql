-- Instants are timestamptz and come from the application's clock, so that a moved clock moves everything.
-- A local date is a date: an edition belongs to a day in the publication's zone, never to an instant.

create table sources (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('feed', 'api')),
  url text unique,
  title text,
  extra_tags text[] not null default '{}',
  renamed_tags jsonb not null default '{}',
  etag text,
  last_modified text,
  checked_at timestamptz,
  succeeded_at timestamptz,
  last_error text,
  failures int not null default 0,
  next_check_at timestamptz not null,
  created_at timestamptz not null,
  check ((kind = 'feed') = (url is not null))
);
create unique index one_api_source on sources (kind) where kind = 'api';

create table tags (
  id int generated always as identity primary key,
  key text not null unique,
  name text not null,
  created_at timestamptz not null
);

-- Other spellings that mean the same tag; an alias is never the key of a tag.
create table tag_aliases (
  key text primary key,
  name text not null,
  tag_id int not null references tags on delete cascade
);

create table editions (
  id bigint generated always as identity primary key,
  date date not null,
  number int not null check (number >= 1),
  state text not null check (state in
    ('opening', 'held', 'sending', 'paused', 'finished', 'cancelled', 'missed', 'empty')),
  timezone text not null,
  due_at timestamptz not null,
  opened_at timestamptz not null,
  frozen_at timestamptz,
  sending_at timestamptz,
  closed_at timestamptz,
  expires_at timestamptz,
  reason text,
  articles int not null default 0,
  readers int not null default 0,
  unmatched int not null default 0,
  selected int not null default 0,
  slices int not null default 0,
  stencil jsonb,
  unique (date, number)
);

create table articles (
  id bigint generated always as identity primary key,
  -- Who showed it first; only that source may edit its text, others can only add tags.
  source_id bigint references sources on delete set null,
  url text not null,
  url_key text not null unique,
  title text not null,
  summary text not null,
  origin_name text,
  origin_url text,
  published_at timestamptz,
  first_seen_at timestamptz not null,
  eligible_at timestamptz not null,
  changed_at timestamptz not null,
  backlog boolean not null default false,
  hidden boolean not null default false,
  edition_id bigint references editions
);
-- What the next edition claims from; an article leaves this index once, when it is claimed.
create index unclaimed_articles on articles (eligible_at) where edition_id is null and not hidden and not backlog;
create index recent_articles on articles (first_seen_at desc);

-- Every guid under which a source has ever shown an article.
create table article_guids (
  source_id bigint not null references sources on delete cascade,
  guid text not null,
  article_id bigint not null references articles on delete cascade,
  primary key (source_id, guid)
);
create index article_guids_article on article_guids (article_id);

create table article_tags (
  article_id bigint not null references articles on delete cascade,
  tag_id int not null references tags on delete cascade,
  position int not null,
  primary key (article_id, tag_id)
);
create index article_tags_tag on article_tags (tag_id);

create table edition_articles (
  edition_id bigint not null references editions on delete cascade,
  position int not null,
  article_id bigint not null references articles,
  tag_ids int[] not null,
  snapshot jsonb not null,
  primary key (edition_id, position),
  unique (edition_id, article_id)
);

create table subscribers (
  id bigint generated always as identity primary key,
  key bytea not null unique check (length(key) = 16),
  address text not null,
  address_key text not null unique,
  status text not null check (status in ('pending', 'active', 'unsubscribed', 'suppressed')),
  all_tags boolean not null default false,
  timezone text,
  created_at timestamptz not null,
  confirmed_at timestamptz,
  left_at timestamptz
);
create index active_subscribers on subscribers (id) where status = 'active';

create table subscriber_tags (
  subscriber_id bigint not null references subscribers on delete cascade,
  tag_id int not null references tags on delete cascade,
  primary key (subscriber_id, tag_id)
);
create index subscriber_tags_tag on subscriber_tags (tag_id, subscriber_id);

create table consents (
  id bigint generated always as identity primary key,
  subscriber_id bigint not null references subscribers on delete cascade,
  method text not null,
  wording text,
  tags text[] not null default '{}',
  form_url text,
  requested_at timestamptz not null,
  requested_from text,
  confirmed_at timestamptz,
  confirmed_from text
);
create index consents_subscriber on consents (subscriber_id);

-- Keyed hash of an address that must never be mailed again; it outlives the subscriber's row.
create table suppressions (
  address_hash bytea primary key,
  reason text not null,
  detail text,
  created_at timestamptz not null
);

create table cohorts (
  id bigint generated always as identity primary key,
  edition_id bigint not null references editions on delete cascade,
  positions int[] not null,
  readers int not null
);
-- One row for each set of articles: the fan-out groups by them. A set of more than some 600 is too long for an index.
create index cohorts_edition on cohorts (edition_id);

-- The ledger. A row is claimed (state 'sending') and committed before SMTP sees the message.
create table deliveries (
  id bigint generated always as identity primary key,
  edition_id bigint not null references editions on delete cascade,
  subscriber_id bigint references subscribers on delete set null,
  cohort_id bigint not null references cohorts,
  slice int not null,
  tag_ids int[] not null,
  state text not null default 'pending' check (state in
    ('pending', 'sending', 'sent', 'deferred', 'rejected', 'expired', 'unknown', 'skipped')),
  attempts int not null default 0,
  claim uuid,
  claimed_at timestamptz,
  due_at timestamptz,
  settled_at timestamptz,
  domain text not null,
  reply text,
  unique (edition_id, subscriber_id)
);
create index open_deliveries on deliveries (edition_id, slice, id) where state in ('pending', 'deferred');
create index claimed_deliveries on deliveries (claim) where state = 'sending';
create index deliveries_subscriber on deliveries (subscriber_id);

-- One row per running process that claims deliveries; a claim whose owner stopped beating is dead.
create table senders (
  id uuid primary key,
  host text not null,
  pid int not null,
  started_at timestamptz not null,
  beat_at timestamptz not null
);

create table schedule (
  one boolean primary key default true check (one),
  since timestamptz not null,
  send_at text,
  send_days int[],
  timezone text,
  -- What was in force when it was last looked at, to notice a change of the environment.
  effective jsonb not null
);

create table skipped_dates (
  date date primary key,
  created_at timestamptz not null
);

create table tokens (
  id bigint generated always as identity primary key,
  name text not null,
  hash bytea not null unique,
  created_at timestamptz not null
);

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb not null default '{}'
);
