-- What the last document that was read left out, as one sentence; null when all of it was taken.
alter table sources add column problem text;
