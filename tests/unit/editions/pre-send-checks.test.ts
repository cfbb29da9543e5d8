import { describe, expect, test } from "vitest";
import { preSendFindings, type PreSendFacts } from "../../../src/editions/pre-send-checks.ts";
import { isAskable, judgeLinks } from "../../../src/editions/link-verdict.ts";
import type { LinkAnswer } from "../../../src/sources/ask-links.ts";

describe("what an answer says of a link", () => {
  const one = "https://news.site/1";
  const fine: [string, LinkAnswer] = ["https://other.site/", { kind: "status", status: 200 }];
  const noName = { kind: "no-name", host: "news.site", hops: 0 } as const;
  test.each<[string, LinkAnswer, [string, LinkAnswer][], string, string | null]>([
    ["a page", { kind: "status", status: 200 }, [], "fine", null],
    ["an empty page", { kind: "status", status: 416 }, [], "fine", null],
    ["not found", { kind: "status", status: 404 }, [], "broken", "answers 404"],
    ["gone", { kind: "status", status: 410 }, [], "broken", "answers 410"],
    ["for subscribers", { kind: "status", status: 401 }, [], "unsure", "answers 401"],
    ["no robots", { kind: "status", status: 403 }, [], "unsure", "answers 403"],
    ["too often", { kind: "status", status: 429 }, [], "unsure", "answers 429"],
    ["an outage", { kind: "status", status: 503 }, [], "unsure", "answers 503"],
    ["slow", { kind: "late" }, [fine], "unsure", "does not answer in time"],
    ["no name", noName, [fine], "broken", "leads to news.site, which does not exist"],
    ["no name at all", noName, [["https://x.site/", noName]], "unsure", "leads to news.site, which does not exist"],
    ["no name, and an address", noName, [["http://192.0.2.1/", fine[1]]], "unsure", expect.any(String)],
    ["a page led to it", { ...noName, hops: 1 }, [], "broken", expect.any(String)],
  ])("%s", (_what, answer, others, verdict, said) => {
    expect(judgeLinks(new Map([[one, answer], ...others])).get(one)).toEqual({ verdict, said });
  });

  test.each<[string, string, string, string | null]>([
    ["the front page", one, "https://news.site/", "leads to the front page"],
    ["with a www before it", one, "https://www.news.site", "leads to the front page"],
    ["by its file's name", one, "https://news.site/index.html", "leads to the front page"],
    ["of one language", one, "https://news.site/de-AT/", "leads to the front page"],
    ["of another site, as a short link may", "https://s.site/x", "https://news.site/", "leads to the front page"],
    ["an article", one, "https://news.site/2026/1", null],
    ["an article by its number, as WordPress has it", "https://news.site/?p=1", "https://news.site/?p=1&x", null],
    ["a section", one, "https://news.site/korea/", null],
    ["from a front page to itself", "http://news.site/?ref=mail", "https://www.news.site/", null],
  ])("a redirect to %s", (_what, from, movedTo, said) => {
    const answers = new Map([[from, { kind: "status", status: 200, movedTo } as const]]);
    // People look at it: a publisher may have reasons, so it holds nothing.
    expect(judgeLinks(answers).get(from)).toEqual({ verdict: said === null ? "fine" : "unsure", said });
  });

  test("a front page that is not there is no page", () => {
    const answer = { kind: "status", status: 404, movedTo: "https://news.site/" } as const;
    expect(judgeLinks(new Map([[one, answer]])).get(one)?.verdict).toBe("broken");
  });

  test("names for examples are not asked for", () => {
    const hosts = [
      "news.example",
      "example.com",
      "www.example.org",
      "a.test",
      "b.invalid",
      "example.site",
      "127.0.0.1",
      "myexample.com",
    ];
    expect(hosts.filter((host) => isAskable(`https://${host}/a`))).toEqual([
      "example.site",
      "127.0.0.1",
      "myexample.com",
    ]);
    expect(isAskable("mailto:a@b.site")).toBe(false);
  });
});

test("names the first three of many broken links", () => {
  const facts: PreSendFacts = {
    articles: 5,
    selected: 5,
    readers: 5,
    past: [],
    smallestMailKb: 20,
    silent: [],
    broken: [],
  };
  const broken = ["A", "B", "C", "D", "E"].map((title) => ({ title, said: "answers 404" }));
  expect(preSendFindings(facts)).toEqual([]);
  expect(preSendFindings({ ...facts, broken: broken.slice(0, 1) })).toEqual([
    { code: "link_broken", data: { title: "A", said: "answers 404" } },
  ]);
  expect(preSendFindings({ ...facts, broken }).slice(3)).toEqual([{ code: "more_links_broken", data: { count: 2 } }]);
});
