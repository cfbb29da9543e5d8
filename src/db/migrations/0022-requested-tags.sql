-- Readers can follow a tag before its first article. It is set while no article has had the tag, and such a tag is not offered
-- to others: what one reader typed is nobody else's business.
alter table tags add column requested_at timestamptz;
create index tags_requested on tags (requested_at) where requested_at is not null;

-- Names that are not in tag_ids, because nobody has confirmed them yet.
alter table signups add column new_tags text[] not null default '{}';
