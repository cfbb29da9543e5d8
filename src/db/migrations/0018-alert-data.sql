-- An alert has data, which the catalogue words. The sentence of an older alert is kept as `text`; an open one gets its data
-- at the next check, without a second notification.
alter table alerts add column data jsonb;
update alerts set data = jsonb_build_object('text', sentence);
alter table alerts alter column data set not null, drop column sentence;
alter table alerts rename column told_at to notified_at;

-- Alert emails that are still queued.
update notices n set payload = jsonb_build_object('event', t.event, 'kind', t.kind,
  'data', jsonb_build_object('text', regexp_replace(n.payload ->> 'sentence', '^.* The alert was: ', '')))
from (values
  ('an edition is held', 'raised', 'edition-held'),
  ('the edition is no longer held', 'cleared', 'edition-held'),
  ('an edition was missed', 'raised', 'edition-missed'),
  ('editions are being sent again', 'cleared', 'edition-missed'),
  ('an edition was sent to nobody', 'raised', 'edition-empty'),
  ('editions have readers again', 'cleared', 'edition-empty'),
  ('many emails were not sent', 'raised', 'not-sent'),
  ('the number of unsent emails is below the limit again', 'cleared', 'not-sent'),
  ('many addresses were reported as nonexistent', 'raised', 'suppressions'),
  ('the reported addresses have been dealt with', 'cleared', 'suppressions'),
  ('some deliveries were not confirmed', 'raised', 'unknown'),
  ('no deliveries are unconfirmed any more', 'cleared', 'unknown'),
  ('a source cannot be read', 'raised', 'source-failing'),
  ('the source can be read again', 'cleared', 'source-failing'),
  ('the relay is not accepting email', 'raised', 'relay'),
  ('the relay is accepting email again', 'cleared', 'relay'),
  ('this is a test alert', 'raised', 'test'),
  ('the test is over', 'cleared', 'test')
) as t(headline, event, kind)
where n.kind = 'alert' and n.payload ->> 'headline' = t.headline;
