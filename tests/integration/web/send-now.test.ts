import { afterAll, beforeAll, expect, test } from "vitest";
import { Refusal } from "../../../src/base/errors.ts";
import { textOf } from "../../support/text.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;

beforeAll(async () => {
  site = await openWeb();
  dashboard = await signIn(site);
  await site.api("POST", "/articles", [article(1, ["huawei"]), article(2, ["lg u+"]), article(3, ["huawei"])]);
  for (const [name, tag] of [
    ["ada", "huawei"],
    ["bea", "lg u+"],
  ] as const) {
    await site.api("POST", "/subscribers", {
      address: `${name}@example.com`,
      tags: [tag],
      confirmed: true,
      consent: { method: "test" },
    });
  }
});
afterAll(() => site.close());

test("sending now counts the articles that go and their readers, without those left out", async () => {
  const all = (await dashboard.get("/operator/send")).body;
  expect(all).toContain(textOf("send.regular", { n: 2 }));
  await dashboard.post("/operator/preview/save", { order: "2", out: "2" });
  const { body } = await dashboard.get("/operator/send");
  expect(body).toContain(textOf("send.regular", { n: 1 }));
  expect(body).toContain(textOf("send.left_out", { n: 1 }));
});

test("sending now shows the warnings of the preview", async () => {
  const { samples } = site.app;
  site.app.samples = () => Promise.reject(new Refusal(422, "A slot is missing."));
  const finding = textOf("finding.template_failed", { problem: "A slot is missing." });
  expect((await dashboard.get("/operator/send")).body).toContain(finding);
  site.app.samples = samples;
  expect((await dashboard.get("/operator/send")).body).not.toContain(finding);
});

test.each([
  { why: "every article is left out", sentence: textOf("send.left_out", { n: 3 }), out: ["1", "2", "3"] },
  { why: "no reader follows the tags", sentence: textOf("send.no_followers", { n: 1 }), out: ["1", "3"], leaving: 2 },
])("where only a new article could reach somebody, sending now says so: $why", async ({ sentence, out, leaving }) => {
  await dashboard.post("/operator/preview/save", { order: ["1", "2", "3"], out });
  if (leaving !== undefined) await site.api("DELETE", `/subscribers/${leaving}`);
  const { body } = await dashboard.get("/operator/send");
  expect(body).toContain(sentence);
  expect(body).toContain(textOf("send.check"));
});

test("without a reader, sending now is not offered", async () => {
  await dashboard.post("/operator/preview/save", { order: ["1", "2", "3"], out: [] });
  await site.api("DELETE", "/subscribers/1");
  const { body } = await dashboard.get("/operator/send");
  expect(body).toContain(textOf("decision.no_readers"));
  expect(body).not.toContain('action="/operator/send"');
});

test("an extra edition without a waiting article is offered after a check of the sources only", async () => {
  await site.api("POST", "/subscribers", {
    address: "cid@example.com",
    allTags: true,
    confirmed: true,
    consent: { method: "test" },
  });
  await site.api("POST", "/editions");
  const { body } = await dashboard.get("/operator/send");
  expect(body).toContain(textOf("send.no_articles"));
  expect(body).toContain(textOf("send.check"));
  expect(body).not.toContain(textOf("send.extra", { n: 0 }));
});
