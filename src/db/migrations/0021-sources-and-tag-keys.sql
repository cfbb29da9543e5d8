-- How a source is read: the time zone of its dates without a zone (null: the publication's), and whether one category holds
-- several tags, separated by commas.
alter table sources add column timezone text, add column split_tags boolean not null default false;

-- The key of a tag is in NFKC now, so that full-width and half-width forms are one tag. Keys were folded already, except for
-- letters that only NFKC brings out (`℃`).
create function pg_temp.new_key(key text) returns text language sql immutable as $$
  select translate(normalize(key, nfkc), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
$$;

-- Of tags that become one, the one with the most active readers stays, hidden only if all were. The others need no alias: their
-- names have its key.
create temp table merged_tags on commit drop as
  select id, kept from (
    select t.id, first_value(t.id) over (
      partition by pg_temp.new_key(t.key)
      order by (
        select count(*) from subscriber_tags st join subscribers s on s.id = st.subscriber_id
        where st.tag_id = t.id and s.status = 'active'
      ) desc, t.id
    ) as kept
    from tags t where pg_temp.new_key(t.key) in (select pg_temp.new_key(key) from tags group by 1 having count(*) > 1)
  ) ranked where id <> kept;

insert into subscriber_tags (subscriber_id, tag_id)
  select st.subscriber_id, m.kept from subscriber_tags st join merged_tags m on m.id = st.tag_id
  on conflict do nothing;
insert into article_tags (article_id, tag_id, position)
  select at.article_id, m.kept, min(at.position) from article_tags at join merged_tags m on m.id = at.tag_id
  group by at.article_id, m.kept
  on conflict do nothing;
update tag_aliases a set tag_id = m.kept from merged_tags m where m.id = a.tag_id;

create function pg_temp.kept_tags(ids int[]) returns int[] language sql stable as $$
  select array_agg(coalesce(m.kept, one.id) order by one.n)
  from unnest(ids) with ordinality as one(id, n) left join merged_tags m on m.id = one.id
$$;
-- Sign-ups that wait for their confirmation, and editions that have no deliveries yet.
update signups set tag_ids = pg_temp.kept_tags(tag_ids) where tag_ids && array(select id from merged_tags);
update consents set tag_ids = pg_temp.kept_tags(tag_ids) where tag_ids && array(select id from merged_tags);
update edition_articles a set tag_ids = pg_temp.kept_tags(a.tag_ids) from editions e
  where e.id = a.edition_id and e.state in ('opening', 'held') and a.tag_ids && array(select id from merged_tags);
update left_out_articles a set tag_ids = pg_temp.kept_tags(a.tag_ids) from editions e
  where e.id = a.edition_id and e.state in ('opening', 'held') and a.tag_ids && array(select id from merged_tags);

insert into audit (at, actor, action, subject, detail)
  select now(), 'upgrade', 'tag merge', gone.name, jsonb_build_object('from', gone.name, 'into', kept.name)
  from merged_tags m join tags gone on gone.id = m.id join tags kept on kept.id = m.kept;
update tags t set revision = nextval('tag_revisions'), hidden_at = case when exists (
    select 1 from merged_tags m join tags o on o.id = m.id where m.kept = t.id and o.hidden_at is null
  ) then null else t.hidden_at end
where t.id in (select kept from merged_tags);
delete from tags where id in (select id from merged_tags);
update tags set key = pg_temp.new_key(key), revision = nextval('tag_revisions') where key <> pg_temp.new_key(key);

-- An alias is never the key of a tag, and belongs to one tag.
delete from tag_aliases a where exists (select 1 from tags t where t.key = pg_temp.new_key(a.key))
  or exists (
    select 1 from tag_aliases b where pg_temp.new_key(b.key) = pg_temp.new_key(a.key) and (b.key <> pg_temp.new_key(b.key), b.key) <
      (a.key <> pg_temp.new_key(a.key), a.key)
  );
update tag_aliases set key = pg_temp.new_key(key) where key <> pg_temp.new_key(key);

update sources set renamed_tags = (
  select jsonb_object_agg(pg_temp.new_key(key), value order by key = pg_temp.new_key(key)) from jsonb_each(renamed_tags)
) where renamed_tags <> '{}';
