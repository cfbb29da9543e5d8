-- Counts of what strangers may have sent, as rate-limiter-flexible keeps them; the keys are hashes.
create table caps (
  key varchar(255) primary key,
  points int not null default 0,
  -- Milliseconds since 1970.
  expire bigint
);
create index caps_expire on caps (expire);
