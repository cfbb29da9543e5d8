-- What the warm-up of a new sender did to an edition: its day, the cap for each provider, and how many readers it left out.
alter table editions add column warm_up jsonb;
