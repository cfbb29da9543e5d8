-- The domain of an edition's Message-IDs, set with its first mail: they stay the same when MAIL_FROM changes.
alter table editions add column mail_domain text;

update editions e set mail_domain = lower(substring(stencil #>> '{head,from}' from '@([^@>\s]+)>?\s*$'))
where stencil is not null and exists (select 1 from deliveries d where d.edition_id = e.id and d.attempts > 0);

-- Since version 2 a stencil holds nothing of the sender, who is the one of the settings when a mail is made.
update editions set stencil = (stencil - 'head' - 'feedbackId') || '{"version": 2}'
where stencil ->> 'version' = '1';
