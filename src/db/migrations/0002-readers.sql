-- Readers who come by themselves: sign-up, confirmation, preferences, and the single mails that go with them.

alter table subscribers add column paused_until timestamptz;
create index pending_subscribers on subscribers (created_at) where status = 'pending';

-- One row a request; the one confirmed last is what its reader follows now. The key is what a confirmation link holds.
alter table consents
  add column key bytea unique check (length(key) = 16),
  add column tag_ids int[] not null default '{}',
  add column all_tags boolean not null default false,
  add column timezone text,
  add column wording_version text;

-- When a mail leaves at the reader's own hour; it stays, while due_at moves with every new attempt.
alter table deliveries add column leaves_at timestamptz;

-- What a form posted and nobody has looked at yet: one insert, the same for every address there is.
create table signups (
  id bigint generated always as identity primary key,
  address text not null,
  address_key text not null,
  tag_ids int[] not null,
  all_tags boolean not null,
  timezone text,
  form_url text,
  wording_version text not null,
  requested_at timestamptz not null,
  requested_from text,
  -- Somebody looks at it since then; a look takes no time, so after a minute it is anybody's again.
  taken_at timestamptz
);
create index signups_address on signups (address_key);

-- The ledger of single mails, worked by the rules of deliveries.
create table notices (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('confirm', 'already', 'welcome', 'sample', 'change')),
  subscriber_id bigint references subscribers on delete cascade,
  address text not null,
  consent_id bigint references consents on delete cascade,
  payload jsonb not null default '{}',
  state text not null default 'pending' check (state in
    ('pending', 'sending', 'sent', 'deferred', 'rejected', 'expired', 'unknown', 'skipped')),
  attempts int not null default 0,
  claim uuid,
  claimed_at timestamptz,
  due_at timestamptz not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  settled_at timestamptz,
  reply text
);
create index open_notices on notices (due_at) where state in ('pending', 'deferred');
create index claimed_notices on notices (claim) where state = 'sending';
create index notices_subscriber on notices (subscriber_id);

-- A reader's wish to be mailed elsewhere, until the new mailbox has said yes.
create table address_changes (
  id bigint generated always as identity primary key,
  key bytea not null unique check (length(key) = 16),
  subscriber_id bigint not null references subscribers on delete cascade,
  address text not null,
  address_key text not null,
  created_at timestamptz not null,
  requested_from text
);
create index address_changes_subscriber on address_changes (subscriber_id);
