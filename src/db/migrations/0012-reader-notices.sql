-- Two more single mails: a link to a reader's settings, and word to the former mailbox that the address has changed.
alter table notices drop constraint notices_kind_check;
alter table notices add constraint notices_kind_check
  check (kind in ('confirm', 'already', 'welcome', 'sample', 'change', 'alert', 'test', 'settings', 'moved'));
