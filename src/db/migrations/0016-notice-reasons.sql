-- Reasons are stored as codes, and the catalogue words them. Reasons that operators wrote themselves stay.
update suppressions set reason = 'bounce' where reason = 'address does not exist';

-- Why this program did not send a notice; `reply` holds only answers of the relay and technical errors.
alter table notices add column reason_code text;

update notices n set reason_code = t.code, reply = null
from (values
  ('the address is never to be mailed', 'complained'),
  ('the address is suppressed', 'suppressed'),
  ('the reader is not subscribed', 'not_subscribed'),
  ('the address is no longer a reader''s', 'not_subscribed'),
  ('there is nothing to confirm any more', 'nothing_to_confirm'),
  ('the change was made or given up', 'nothing_to_confirm'),
  ('the address has changed back, or the reader was erased', 'address_changed_back'),
  ('the address had one lately', 'sample_limit'),
  ('there is no article yet to make a sample copy of', 'no_article'),
  ('the sender stopped before the relay''s answer was written down', 'sender_stopped'),
  ('not sent in time', 'not_sent_in_time')
) as t(sentence, code)
where n.reply = t.sentence and n.state in ('skipped', 'unknown', 'pending', 'expired');

update notices set reason_code = 'not_sent_in_time', reply = substr(reply, length('last answer: ') + 1)
where state = 'expired' and reply like 'last answer: %';

update notices set reason_code = 'build_failed', reply = substr(reply, length('The mail could not be made: ') + 1)
where state = 'rejected' and reply like 'The mail could not be made: %';
