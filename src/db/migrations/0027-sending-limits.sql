-- What all workers share about the relay, in one row that the first of them writes; only the database's clock writes times. Messages are permitted up to
-- next_at. After the relay got too much, the rate grows from slowed_rate back to slowed_full. After a failure nobody sends
-- until paused_until, and then one worker first.
create table sending_limits (
  one boolean primary key default true check (one),
  next_at timestamptz not null default 'epoch',
  slowed_at timestamptz,
  slowed_rate double precision,
  slowed_full double precision,
  paused_at timestamptz,
  paused_until timestamptz,
  pause_reason jsonb,
  pause_failures int,
  pause_quota text,
  probe_by uuid,
  probe_until timestamptz
);
