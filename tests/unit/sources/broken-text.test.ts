import { expect, test } from "vitest";
import { parseFeed } from "../../../src/sources/parse.ts";

const odd = "a\0b\ud800c";

const json = JSON.stringify({
  version: "https://jsonfeed.org/version/1.1",
  title: odd,
  home_page_url: `https://news.example/${odd}`,
  items: [
    { id: odd, url: `https://news.example/${odd}`, title: odd, summary: `${odd}\nSource: ${odd}`, tags: [odd] },
    { id: `2${odd}`, url: `javascript:${odd}`, title: odd },
  ],
});
const both = `${odd}&#0;&#xD800;`;
const rss = `<rss version="2.0"><channel><title>${both}</title><link>https://news.example/${odd}</link>
  <item><title>${both}</title><link>https://news.example/${both}</link><guid>${both}</guid><category>${both}</category>
  <description>${both} &amp;#0; &amp;#xD800;</description><source url="https://a.example/${odd}">${both}</source></item>
  <item><title>${both}</title></item></channel></rss>`;

test.each([
  ["JSON Feed", json],
  ["RSS", rss],
])("nothing of a %s keeps NUL or half characters, which cannot be stored", (_, text) => {
  const feed = parseFeed(text, "https://news.example/feed");
  expect([feed.items.length, feed.problems.length]).toEqual([1, 1]);
  expect(JSON.stringify(feed)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
});
