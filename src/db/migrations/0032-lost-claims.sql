-- What was swept as lost, because its sender seemed dead, can still be given back by that sender.
drop index claimed_deliveries, claimed_notices;
create index claimed_deliveries on deliveries (claim) where state in ('sending', 'unknown');
create index claimed_notices on notices (claim) where state in ('sending', 'unknown');
