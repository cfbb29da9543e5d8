-- What refers to rows that are deleted in numbers is found by an index, or each of them would cost a look at the whole table.
create index edition_articles_article on edition_articles (article_id);
create index left_out_articles_article on left_out_articles (article_id);
create index notices_consent on notices (consent_id) where consent_id is not null;
create index tag_aliases_tag on tag_aliases (tag_id);

-- The ledger is too large for one more index, and each new row would be looked up too. An edition's deliveries and cohorts are
-- made, dealt anew and removed together, in one transaction each time.
alter table deliveries drop constraint deliveries_cohort_id_fkey;
