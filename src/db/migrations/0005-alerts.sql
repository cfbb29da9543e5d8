-- What operators are told of: each trouble once when it comes, and once when it is over.

create table alerts (
  id bigint generated always as identity primary key,
  kind text not null,
  -- What is in trouble, such as `edition 12`.
  subject text not null,
  sentence text not null,
  seen_at timestamptz not null,
  -- Some trouble is told only when it lasts.
  told_at timestamptz,
  cleared_at timestamptz
);
create unique index open_alerts on alerts (kind, subject) where cleared_at is null;

-- Calls of the webhook that are still to be made.
create table alert_calls (
  id uuid primary key,
  body text not null,
  attempts int not null default 0,
  due_at timestamptz not null,
  created_at timestamptz not null
);

alter table notices drop constraint notices_kind_check;
alter table notices add constraint notices_kind_check
  check (kind in ('confirm', 'already', 'welcome', 'sample', 'change', 'alert', 'test'));

-- To see each minute how many deliveries of an edition went wrong, without counting all of them.
create index failed_deliveries on deliveries (edition_id, state) where state in ('rejected', 'expired', 'unknown');
