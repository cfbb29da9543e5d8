-- One ledger for deliveries, notices and webhook calls. Why this program did not send something is a code with data; `reply`
-- holds only raw replies of the relay.
alter table deliveries add column reason_code text, add column reason_data jsonb;
alter table notices add column reason_data jsonb, alter column due_at drop not null;
alter table alert_calls
  add column state text not null default 'pending' check (state in
    ('pending', 'sending', 'sent', 'deferred', 'rejected', 'expired', 'unknown', 'skipped')),
  add column claim uuid,
  add column claimed_at timestamptz,
  add column settled_at timestamptz,
  add column reason_code text,
  add column reason_data jsonb,
  add column reply text,
  alter column due_at drop not null;

-- A technical error in a notice that could not be composed is data.
update notices set reason_data = jsonb_build_object('error', coalesce(reply, '')), reply = null
where reason_code = 'build_failed';

create function pg_temp.local_reason(said text) returns table (code text, data jsonb) language sql immutable as $$
  select c.code, case
      when c.data ? 'error' or c.data ? 'after' then
        (select jsonb_object_agg(key, regexp_replace(value, '[^\s<>"]+@[^\s<>"]+', '<address>', 'g')) from jsonb_each_text(c.data))
      else coalesce(c.data, '{}')
    end
  from (values
    (case when said = 'subscriber was erased' then 'erased' end, null::jsonb),
    (case when said = 'subscriber is suppressed' then 'suppressed' end, null),
    (case when said like 'subscriber is %' then 'not_subscribed' end, null),
    (case when said in ('the edition was cancelled') or said like 'the edition was cancelled; last answer: %' then 'edition_cancelled' end, null),
    (case when said = 'not sent in time' or said like 'last answer: %' then 'not_sent_in_time' end, null),
    (case when said = 'the sender stopped before the relay''s answer was written down' then 'sender_stopped' end, null),
    (case when said = 'an editor left out every article that this reader would have got' then 'no_articles_left' end, null),
    (case when said like 'The mail could not be made: %' then 'build_failed' end,
      jsonb_build_object('error', substr(said, length('The mail could not be made: ') + 1))),
    (case when said like 'the sender %SMTP envelope' or said like 'the sender %… is longer than %' then 'sender_address_invalid' end, null),
    (case when said like 'the recipient %SMTP envelope' or said like 'the recipient %… is longer than %' then 'address_invalid' end, null),
    (case when said = 'the address is not ASCII and the relay does not offer SMTPUTF8' then 'smtputf8_missing' end, null),
    (case when said ~ '^the message has \d+ bytes and the relay accepts at most \d+$' then 'message_too_large' end,
      jsonb_build_object('bytes', (regexp_match(said, 'has (\d{1,15}) bytes'))[1]::bigint,
        'limit', (regexp_match(said, 'at most (\d{1,15})'))[1]::bigint)),
    (case when said ~ '^timeout: no reply for \d+ s$' then 'timeout' end,
      jsonb_build_object('seconds', (regexp_match(said, '(\d{1,9}) s$'))[1]::int)),
    (case when said = 'the relay closed the connection without a reply' then 'connection_closed' end, null),
    (case when said = 'the relay''s replies are out of sync with the commands' then 'replies_out_of_step' end, null),
    (case when said = 'the relay replied before the message was complete' then 'replied_too_early' end, null),
    (case when said in ('the mail transport is closed', 'the connection was closed because the service is stopping',
      'the mail transport is closing') then 'service_stopping' end, null),
    (case when said like 'sending to the relay is paused after: %' then 'relay_paused' end,
      jsonb_build_object('after', substr(said, length('sending to the relay is paused after: ') + 1))),
    (case when said like 'cannot write to the outbox: %' then 'outbox_not_written' end,
      jsonb_build_object('error', substr(said, length('cannot write to the outbox: ') + 1))),
    -- Any other text without a reply code is an error of the connection.
    (case when said !~ '^[2-5]\d\d( |$)' then 'connection_lost' end, jsonb_build_object('error', said))
  ) as c(code, data) where c.code is not null limit 1
$$;

update deliveries d set reason_code = r.code, reason_data = r.data,
  reply = case
    when d.reply like 'the edition was cancelled; last answer: %' then substr(d.reply, length('the edition was cancelled; last answer: ') + 1)
    when d.reply like 'last answer: %' then substr(d.reply, length('last answer: ') + 1)
  end
from (select distinct reply from deliveries where reply is not null and state not in ('sent', 'sending') and reply !~ '^[2-5]\d\d( |$)') said,
  lateral pg_temp.local_reason(said.reply) r
where d.reply = said.reply and d.state not in ('sent', 'sending');

update notices n set reason_code = r.code, reason_data = r.data, reply = null
from (select distinct reply from notices where reply is not null and state not in ('sent', 'sending') and reply !~ '^[2-5]\d\d( |$)') said,
  lateral pg_temp.local_reason(said.reply) r
where n.reply = said.reply and n.reason_code is null and n.state not in ('sent', 'sending');

-- What was last said of an expired or cancelled email may itself be a text of this program. The code says enough.
update deliveries set reply = null where reason_code in ('edition_cancelled', 'not_sent_in_time') and reply !~ '^[2-5]\d\d( |$)';

drop function pg_temp.local_reason(text);
