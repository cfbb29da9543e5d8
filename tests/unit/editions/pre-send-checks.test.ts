import { describe, expect, test } from "vitest";
import { preSendFindings, type PreSendFacts } from "../../../src/editions/pre-send-checks.ts";
import { isCheckable, judgeLinks, type LinkResult } from "../../../src/editions/links.ts";
import type { LinkAnswer } from "../../../src/sources/request-links.ts";

describe("what an answer says of a link", () => {
  const one = "https://news.site/1";
  const fine: [string, LinkAnswer] = ["https://other.site/", { kind: "status", status: 200 }];
  const noName = { kind: "no-name", host: "news.site", hops: 0 } as const;
  test.each<[string, LinkAnswer, [string, LinkAnswer][], string, LinkResult | null]>([
    ["a page", { kind: "status", status: 200 }, [], "fine", null],
    ["an empty page", { kind: "status", status: 416 }, [], "fine", null],
    ["not found", { kind: "status", status: 404 }, [], "broken", { code: "status", status: 404 }],
    ["gone", { kind: "status", status: 410 }, [], "broken", { code: "status", status: 410 }],
    ["for subscribers", { kind: "status", status: 401 }, [], "unsure", { code: "status", status: 401 }],
    ["no robots", { kind: "status", status: 403 }, [], "unsure", { code: "status", status: 403 }],
    ["too often", { kind: "status", status: 429 }, [], "unsure", { code: "status", status: 429 }],
    ["an outage", { kind: "status", status: 503 }, [], "unsure", { code: "status", status: 503 }],
    ["slow", { kind: "late" }, [fine], "unsure", { code: "too_slow" }],
    ["no name", noName, [fine], "broken", { code: "no_such_host", host: "news.site" }],
    ["no name at all", noName, [["https://x.site/", noName]], "unsure", { code: "no_such_host", host: "news.site" }],
    [
      "no name, and an address",
      noName,
      [["http://192.0.2.1/", fine[1]]],
      "unsure",
      expect.objectContaining({ code: "no_such_host" }),
    ],
    ["a page led to it", { ...noName, hops: 1 }, [], "broken", expect.objectContaining({ code: "no_such_host" })],
  ])("%s", (_what, answer, others, verdict, result) => {
    expect(judgeLinks(new Map([[one, answer], ...others])).get(one)).toEqual({ verdict, result });
  });

  test.each<[string, string, string, LinkResult | null]>([
    ["the front page", one, "https://news.site/", { code: "front_page" }],
    ["with a www before it", one, "https://www.news.site", { code: "front_page" }],
    ["by its file's name", one, "https://news.site/index.html", { code: "front_page" }],
    ["of one language", one, "https://news.site/de-AT/", { code: "front_page" }],
    ["of another site, as a short link may", "https://s.site/x", "https://news.site/", { code: "front_page" }],
    ["an article", one, "https://news.site/2026/1", null],
    ["an article by its number, as WordPress has it", "https://news.site/?p=1", "https://news.site/?p=1&x", null],
    ["a section", one, "https://news.site/korea/", null],
    ["from a front page to itself", "http://news.site/?ref=mail", "https://www.news.site/", null],
  ])("a redirect to %s", (_what, from, movedTo, result) => {
    const answers = new Map([[from, { kind: "status", status: 200, movedTo } as const]]);
    // People look at it: a publisher may have reasons, so it holds nothing.
    expect(judgeLinks(answers).get(from)).toEqual({ verdict: result === null ? "fine" : "unsure", result });
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
    expect(hosts.filter((host) => isCheckable(`https://${host}/a`))).toEqual([
      "example.site",
      "127.0.0.1",
      "myexample.com",
    ]);
    expect(isCheckable("mailto:a@b.site")).toBe(false);
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
  const broken = ["A", "B", "C", "D", "E"].map((title) => ({
    title,
    result: { code: "status", status: 404 } as const,
  }));
  expect(preSendFindings(facts)).toEqual([]);
  expect(preSendFindings({ ...facts, broken: broken.slice(0, 1) })).toEqual([
    { code: "link_broken", data: { title: "A", result: { code: "status", status: 404 } } },
  ]);
  expect(preSendFindings({ ...facts, broken }).slice(3)).toEqual([{ code: "more_links_broken", data: { count: 2 } }]);
});
