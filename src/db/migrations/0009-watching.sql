-- A feed that answers 429 or 503 may say when it wants to be asked again; until then only an operator asks.
alter table sources add column wait_until timestamptz;

-- Suppressions that one edition brought can be taken back together: its relay may have been wrong about them.
alter table suppressions add column edition_id bigint references editions on delete set null;
create index suppressions_edition on suppressions (edition_id) where edition_id is not null;

-- An operator has let an edition go on although so many of its addresses were said not to exist.
alter table editions add column gone_accepted boolean not null default false;
