-- Readers are asked whether they still want the emails, and paused if they do not answer. `acted_at` is the last act of a reader
-- that no other column has, such as a change of tags.
alter table subscribers
  add column acted_at timestamptz,
  add column paused_since timestamptz,
  add column paused_for text check (paused_for in ('bounces', 'silence')),
  add check ((paused_since is null) = (paused_for is null));

update subscribers s set acted_at = c.at
from (
  select subscriber_id, max(confirmed_at) as at from consents
  where method in ('address_change', 'unsubscribe_undone') group by 1
) c
where c.subscriber_id = s.id;

-- One row for each time that a reader was asked. Without its reader after an erasure, so that the counts stay right.
create table questions (
  id bigint generated always as identity primary key,
  subscriber_id bigint references subscribers on delete set null,
  notice_id bigint references notices on delete set null,
  cause text not null check (cause in ('bounces', 'silence')),
  asked_at timestamptz not null,
  sent_at timestamptz,
  outcome text check (outcome in ('kept', 'unsubscribed', 'paused', 'dropped')),
  closed_at timestamptz,
  check ((outcome is null) = (closed_at is null))
);
create index questions_subscriber on questions (subscriber_id);
create unique index open_questions on questions (subscriber_id) where outcome is null;
create index questions_asked on questions (asked_at);
create index questions_notice on questions (notice_id);

alter table notices drop constraint notices_kind_check;
alter table notices add constraint notices_kind_check
  check (kind in ('confirm', 'already', 'welcome', 'sample', 'change', 'alert', 'test', 'settings', 'moved', 'question'));
