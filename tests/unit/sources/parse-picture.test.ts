import { expect, test } from "vitest";
import { parseFeed } from "../../../src/sources/parse.ts";

const rss = (item: string): string =>
  `<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>T</title><link>https://a.example/</link>
   <item><title>One</title><link>https://a.example/1</link>${item}</item></channel></rss>`;
const atom = (entry: string): string =>
  `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"><title>T</title><id>x</id>
   <entry><id>1</id><title>One</title><link href="https://a.example/1"/>${entry}</entry></feed>`;
const json = (item: object): string =>
  JSON.stringify({
    version: "https://jsonfeed.org/version/1.1",
    title: "T",
    items: [{ id: "1", title: "One", url: "https://a.example/1", ...item }],
  });
const url = "https://a.example/i.jpg";
const bare = { url, alt: "", width: null, height: null };

test.each([
  ["an enclosure", rss(`<enclosure url="${url}" type="image/jpeg" length="1"/>`), bare],
  ["an enclosure without a type", rss(`<enclosure url="/i.jpg?w=1" length="1"/>`), { ...bare, url: `${url}?w=1` }],
  [
    "media:content",
    rss(
      `<media:content url="${url}" medium="image" width="1200" height="800"><media:description>A  mast</media:description></media:content>`,
    ),
    { url, alt: "A mast", width: 1200, height: 800 },
  ],
  ["media:content in a group", rss(`<media:group><media:content url="${url}" type="image/png"/></media:group>`), bare],
  [
    "media:thumbnail",
    rss(`<media:thumbnail url="${url}" width="320" height="180"/>`),
    { url, alt: "", width: 320, height: 180 },
  ],
  [
    "an Atom enclosure",
    atom(`<link rel="enclosure" type="image/jpeg" href="${url}" title="A mast"/>`),
    { ...bare, alt: "A mast" },
  ],
  ["Atom's media:thumbnail", atom(`<media:thumbnail url="${url}"/>`), bare],
  ["JSON Feed's image", json({ image: url }), bare],
  ["JSON Feed's banner", json({ banner_image: url }), bare],
  ["a JSON Feed attachment", json({ attachments: [{ url, mime_type: "image/png" }] }), bare],
])("the picture of an article comes from %s", (_, feed, picture) => {
  expect(parseFeed(feed, "https://a.example/feed").items[0]?.picture).toEqual(picture);
});

test.each([
  ["no picture", rss("")],
  ["sound", rss(`<enclosure url="https://a.example/i.mp3" type="audio/mpeg" length="1"/>`)],
  ["a picture without encryption", rss(`<enclosure url="http://a.example/i.jpg" type="image/jpeg" length="1"/>`)],
  ["a tracking pixel", rss(`<media:content url="${url}" medium="image" width="1" height="1"/>`)],
  [
    "a vector graphic, which mail clients do not show",
    rss(`<enclosure url="https://a.example/i.svg" type="image/svg+xml" length="1"/>`),
  ],
  ["a script", json({ image: "javascript:alert(1)" })],
  ["a video", rss(`<media:content url="https://a.example/v.mp4" medium="video" type="video/mp4"/>`)],
])("an article with %s has none", (_, feed) => {
  expect(parseFeed(feed, "https://a.example/feed").items[0]?.picture).toBeNull();
});

test("a picture that cannot be used does not hide one that can", () => {
  const feed = rss(
    `<enclosure url="http://a.example/i.jpg" type="image/jpeg" length="1"/><media:thumbnail url="${url}"/>`,
  );
  expect(parseFeed(feed, "https://a.example/feed").items[0]?.picture?.url).toBe(url);
});
