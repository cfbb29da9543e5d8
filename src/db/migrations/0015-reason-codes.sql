-- Why an edition is in its state: a code with its data. The column `reason` stays for nodes of the release before, which
-- may run a little longer; nothing reads it any more, and a later release drops it.
alter table editions add column reason_code text, add column reason_data jsonb;

-- A sentence that no pattern fits is kept as it is.
update editions set reason_code = 'other', reason_data = jsonb_build_object('text', reason) where reason is not null;

with parts as (
  select id,
    regexp_match(reason, '^The service was not running at (\d\d:\d\d) \((.+)\) and came back (?:less than an (hour)|(\d+) (hour|day)s?) later; ') as down,
    regexp_match(reason, '^Its time, (\d\d:\d\d) \((.+)\), had passed when the schedule was changed; ') as changed,
    regexp_match(reason, '^Sent (\d{1,9}) minutes late: nothing was running when it was due\.$') as late,
    regexp_match(reason, '^Sent (\d{1,9}) minutes late: its mail could not be made before\.$') as made_late,
    regexp_match(reason, '^Approved by (.+)\.$') as approved,
    regexp_match(reason, '^Paused because the relay refuses every mail: (.*)$') as refused,
    regexp_match(replace(reason, ',', ''), '^Paused because the relay says that many addresses do not exist: (\d{1,9}) of the first (\d{1,9})\. ') as gone,
    regexp_match(reason, '^(.+) took its (\d{1,9}) suppressions back\.$') as taken_back,
    regexp_match(reason, '^Its mail cannot be made: (.*)$') as not_made,
    regexp_match(reason, '^Held to be looked at: (.*)$') as checks,
    reason = 'There was no new article for this edition.' as empty,
    approve_by is not null and reason like 'It waits for approval until %' as waits,
    approve_by is not null and reason like 'Sent without approval, %' as unapproved
  from editions where reason is not null
), known as (
  select p.id, coded.code, coded.data
  from parts p join editions e using (id), lateral (
    select 'missed_service_down' as code, jsonb_build_object('sendAt', down[1], 'timezone', down[2],
      'hours', coalesce(down[4], '0')::numeric * case down[5] when 'day' then 24 else 1 end) as data where down is not null
    union all select 'missed_schedule_changed', jsonb_build_object('sendAt', changed[1], 'timezone', changed[2])
      where changed is not null
    union all select 'sent_late', jsonb_build_object('minutes', late[1]::int) where late is not null
    union all select 'sent_late_after_template_failed', jsonb_build_object('minutes', made_late[1]::int)
      where made_late is not null
    union all select 'approved_by', jsonb_build_object('actor', approved[1]) where approved is not null
    union all select 'relay_refuses_all', jsonb_build_object('reply', refused[1]) where refused is not null
    union all select 'many_addresses_gone', jsonb_build_object('gone', gone[1]::int, 'answered', gone[2]::int)
      where gone is not null
    union all select 'suppressions_removed', jsonb_build_object('actor', taken_back[1], 'count', taken_back[2]::int)
      where taken_back is not null
    union all select 'template_failed', jsonb_build_object('text', not_made[1]) where not_made is not null
    -- What was found comes as one text. The checks write it again when the edition is next changed.
    union all select 'held_by_checks', jsonb_build_object('findings', case
      when checks[1] like 'what was found is mended%' then '[]'::jsonb
      else jsonb_build_array(jsonb_build_object('code', 'other', 'data', jsonb_build_object('text', checks[1]))) end)
      where checks is not null
    union all select 'no_articles', '{}'::jsonb where empty
    union all select 'waiting_for_approval', jsonb_build_object('until', to_char(e.approve_by at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
      'timezone', e.timezone, 'afterwards', case when e.reason like '%goes out by itself.' then 'send' else 'hold' end) where waits
    union all select 'sent_without_approval', jsonb_build_object('deadline', to_char(e.approve_by at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
      'timezone', e.timezone) where unapproved
  ) coded
)
update editions e set reason_code = known.code, reason_data = known.data from known where known.id = e.id;
