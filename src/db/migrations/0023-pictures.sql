-- The picture that a feed gives for an article. Sizes are in pixels, and null where the feed does not say them.
alter table articles
  add column picture_url text,
  add column picture_alt text,
  add column picture_width integer,
  add column picture_height integer;
