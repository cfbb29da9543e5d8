-- What became of an email after the relay had accepted it. Deliveries are not touched, and partitions of theirs are dropped without
-- looking here. A delivery bounces once and is complained about once, so a report that comes again changes nothing.
create table delivery_outcomes (
  edition_id bigint not null references editions on delete cascade,
  delivery_id bigint not null,
  outcome text not null check (outcome in ('bounced', 'complained')),
  kind text check (kind in ('hard', 'soft', 'policy')),
  code text,
  text text,
  source text not null,
  guess boolean not null,
  happened_at timestamptz not null,
  recorded_at timestamptz not null,
  primary key (edition_id, delivery_id, outcome),
  check ((outcome = 'bounced') = (kind is not null))
);

-- The same, counted. `gone` is the number of addresses that should be suppressed, and `spared` the number of those that were not,
-- because they were too many. `refusals_read` says that the relay's own refusals were looked at for mailboxes to give up.
create table outcome_counts (
  edition_id bigint primary key references editions on delete cascade,
  hard int not null default 0,
  soft int not null default 0,
  policy int not null default 0,
  complained int not null default 0,
  gone int not null default 0,
  spared int not null default 0,
  refusals_read boolean not null default false
);
