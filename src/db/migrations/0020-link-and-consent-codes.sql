-- What the page of an article answered: a code with its data. The column said stays for nodes of the release before; nothing
-- reads it any more, and a later release drops it.
alter table link_checks add column result jsonb;

create function pg_temp.link_result(said text) returns jsonb language sql immutable as $$
  select case
    when said is null then null
    when said ~ '^answers \d{3}$' then jsonb_build_object('code', 'status', 'status', substr(said, 9)::int)
    when said ~ '^leads to \S+, which does not exist$' then
      jsonb_build_object('code', 'no_such_host', 'host', substring(said from '^leads to (\S+), which'))
    when said = 'does not answer in time' then '{"code": "too_slow"}'
    when said = 'leads to a private address' then '{"code": "private_address"}'
    when said = 'redirects without end, or to no web page' then '{"code": "bad_redirect"}'
    when said = 'leads to the front page' then '{"code": "front_page"}'
    when said = 'cannot be read' then '{"code": "unreadable"}'
    when said ~ '^cannot be reached \(.+\)$' then
      jsonb_build_object('code', 'unreachable', 'error', substring(said from '\((.+)\)$'))
    else jsonb_build_object('code', 'text', 'text', said)
  end
$$;

update link_checks set result = pg_temp.link_result(said);

update editions e set reason_data = jsonb_set(reason_data, '{findings}', (
  select coalesce(jsonb_agg(case
      when f.finding ->> 'code' = 'link_broken' then jsonb_build_object('code', 'link_broken', 'data', jsonb_build_object(
        'title', f.finding #>> '{data,title}', 'result', pg_temp.link_result(f.finding #>> '{data,said}')))
      else f.finding end order by f.n), '[]'::jsonb)
  from jsonb_array_elements(e.reason_data -> 'findings') with ordinality as f(finding, n)
))
where reason_code = 'held_by_checks';

-- How a reader agreed. Other values are operators' own words.
update consents set method = 'address_change' where method = 'address change';
update consents set method = 'unsubscribe_undone' where method = 'undo of unsubscribing';
