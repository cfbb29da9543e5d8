-- Tags that an operator has renamed or hidden.

create sequence tag_revisions;
alter table tags
  -- Since when it is neither offered nor shown and brings nobody an article; whoever follows it keeps it.
  add column hidden_at timestamptz,
  -- A new number for a new tag and at each change of one: pages that keep the list of tags ask only for the highest, and of
  -- two operators who change a tag at once the second is told.
  add column revision bigint not null default nextval('tag_revisions');
alter sequence tag_revisions owned by tags.revision;
create unique index tags_revision on tags (revision);
