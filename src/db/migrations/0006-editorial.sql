-- What an editor decides: what the coming edition holds and in which words, and whether a frozen one may go out.

-- What is wanted of the coming edition; the next one that is frozen takes it, and keeps it.
create table drafts (
  id bigint generated always as identity primary key,
  -- The date it was begun for: an edition of a later date leaves it alone.
  date date not null,
  edition_id bigint unique references editions on delete cascade,
  -- Counts changes, so that of two editors who change it at once the second is told.
  revision int not null default 0,
  introduction text,
  subject text,
  -- Ids of articles: those that come first, in this order, and those that stay out and wait for the next edition.
  first bigint[] not null default '{}',
  left_out bigint[] not null default '{}',
  -- Own title and summary by the article's id.
  words jsonb not null default '{}',
  changed_at timestamptz not null,
  changed_by text not null
);
create unique index open_drafts on drafts (date) where edition_id is null;

alter table editions
  add column introduction text,
  add column subject text,
  -- Held and nobody has decided by then: it goes out, or stays held, as APPROVAL says.
  add column approve_by timestamptz,
  add column approved_by text;

-- Dates whose edition goes out at another local time than that of the schedule.
create table moved_dates (
  date date primary key,
  send_at text not null,
  created_at timestamptz not null
);
