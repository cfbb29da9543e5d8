-- People who run the publication, what they signed in with, and what programs use in their place.

create table operators (
  id bigint generated always as identity primary key,
  name text not null,
  -- The name as it is compared: no two differ by case or width alone.
  name_key text not null unique,
  role text not null check (role in ('viewer', 'editor', 'owner')),
  -- scrypt with its parameters and salt; null until the set-up link was used.
  password text,
  -- The key of one-time codes is made of this and SECRET; null without them.
  totp_salt bytea,
  -- The last 30 s step whose code was used: none is taken twice.
  totp_step bigint,
  created_at timestamptz not null,
  signed_in_at timestamptz,
  disabled_at timestamptz
);

-- A cookie holds the token, this its hash.
create table operator_sessions (
  id bigint generated always as identity primary key,
  operator_id bigint not null references operators on delete cascade,
  hash bytea not null unique,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  came_from text not null,
  agent text not null
);
create index operator_sessions_operator on operator_sessions (operator_id);

-- Links by which an operator chooses a password, once. Without operator: the publication's first one.
create table operator_links (
  hash bytea primary key,
  operator_id bigint references operators on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz
);

-- Tokens that are there already could do everything, and still can.
alter table tokens
  add column role text not null default 'owner' check (role in ('viewer', 'editor', 'owner')),
  add column expires_at timestamptz,
  add column used_at timestamptz,
  add column revoked_at timestamptz;

-- The network address an operator acted from; null for what the program does by itself.
alter table audit add column came_from text;
create index audit_at on audit (at);
