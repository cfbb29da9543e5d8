-- Settings that operators change on a page, for all processes that share this database. The environment overrides them.
-- `content` is the logo, whose value is its name.
create table settings (
  name text primary key,
  value text not null,
  content bytea
);
