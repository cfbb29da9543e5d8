-- A feed that answers 429 or 503 may say when it wants to be asked again; until then only an operator asks.
alter table sources add column wait_until timestamptz;
