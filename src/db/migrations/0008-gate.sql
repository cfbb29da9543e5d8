-- Articles that an editor has taken out of an edition while it was held, as they were frozen in it: until it goes out, they
-- can be taken in again, unless another edition has claimed them.
create table left_out_articles (
  edition_id bigint not null references editions on delete cascade,
  article_id bigint not null references articles on delete cascade,
  tag_ids int[] not null,
  snapshot jsonb not null,
  primary key (edition_id, article_id)
);

-- What the page of an article answered when it was last asked for.
create table link_checks (
  article_id bigint primary key references articles on delete cascade,
  url text not null,
  verdict text not null check (verdict in ('fine', 'broken', 'unsure')),
  -- Behind the article's headline, such as "answers 404"; null for a page that is there.
  said text,
  checked_at timestamptz not null
);
