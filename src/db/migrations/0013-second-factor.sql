-- Codes for an operator who has lost the authenticator, and the operator whom a token goes back to.

create table operator_recovery_codes (
  id bigint generated always as identity primary key,
  operator_id bigint not null references operators on delete cascade,
  -- scrypt with its parameters and salt; the codes of one set share the salt.
  hash text not null,
  created_at timestamptz not null,
  used_at timestamptz,
  -- The network address it was used from.
  used_from text,
  -- When the operator said to know of the use.
  seen_at timestamptz
);
create index operator_recovery_codes_operator on operator_recovery_codes (operator_id);

-- Disabling the operator revokes the token. Null for tokens of the settings.
alter table tokens add column operator_id bigint references operators on delete set null;
create index tokens_operator on tokens (operator_id) where revoked_at is null;

-- Who made the present tokens is in the audit log. A token that was made with a token goes back to the same operator.
with recursive made as (
  select t.id, o.id as operator_id
  from tokens t
  join audit a on a.action = 'token add' and a.subject = t.name and a.at = t.created_at
  join operators o on o.name = a.actor
  union
  select t.id, made.operator_id
  from made
  join tokens p on p.id = made.id
  join audit a on a.action = 'token add' and a.actor = p.name and a.at >= p.created_at
    and (p.revoked_at is null or a.at <= p.revoked_at)
  join tokens t on t.name = a.subject and t.created_at = a.at
)
update tokens set operator_id = made.operator_id from made where made.id = tokens.id;

-- So do tokens of operators who are disabled already.
with revoked as (
  update tokens t set revoked_at = now()
  from operators o
  where o.id = t.operator_id and o.disabled_at is not null and t.revoked_at is null
  returning t.name, o.name as operator
)
insert into audit (at, actor, action, subject, detail)
select now(), 'dayletter', 'token revoke', name, jsonb_build_object('because', operator || ' is disabled') from revoked;
