-- Why a feed cannot be read, and what could not be ingested: codes with data. The columns last_error and problem stay for
-- nodes of the release before; nothing reads them any more, and a later release drops them.
alter table sources add column read_error jsonb, add column problems jsonb not null default '[]';

-- Sentences of the release before are kept as they are, until the next poll.
update sources set
  read_error = case when last_error is not null then jsonb_build_object('text', last_error) end,
  problems = case when problem is null then '[]'::jsonb else jsonb_build_array(jsonb_build_object('text', problem)) end;
