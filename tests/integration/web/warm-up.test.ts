import { afterAll, beforeAll, expect, test } from "vitest";
import { startWeb } from "../../../src/server.ts";
import { sendNow } from "../../../src/editions/send-now.ts";
import { addAllNewsReaders } from "../../support/readers.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { textOf } from "../../support/text.ts";
import { execute } from "../../unit/cli/execute.ts";
import { article, openWeb, token, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;

beforeAll(async () => {
  site = await openWeb({ WARMUP_START: "2026-11-24", WARMUP_SCHEDULE: "2,4" });
  dashboard = await signIn(site);
  await addAllNewsReaders(site.app, ["a@gmail.com", "b@gmail.com", "c@gmail.com", "d@small.example"]);
  await site.api("POST", "/articles", [article(1, ["huawei"])]);
});
afterAll(() => site.close());

const warmUp = { day: 1, cap: 2, leftOut: 1 };
const sentence = textOf("edition.warm_up", { day: 1, cap: 2, n: 1 });

test("before an edition is sent, the preview and the confirmation count who is left out", async () => {
  expect((await site.api("GET", "/editions/next")).json()).toMatchObject({ warmUp });
  expect((await dashboard.get("/operator/preview")).body).toContain(sentence);
  const { body } = await dashboard.get("/operator/send");
  expect(body).toContain(textOf("send.warm_up", { day: 1, cap: 2, n: 1 }));
  expect(body).toContain(textOf("send.regular", { n: 3 }));
});

test("an edition says what the warm-up did to it", async () => {
  await sendNow(site.app, { actor: "test", extra: false });
  expect((await site.api("GET", "/editions/2026-11-24")).json()).toMatchObject({ warmUp, selected: 4 });
  for (const path of ["/operator", "/operator/editions/2026-11-24"]) {
    expect((await dashboard.get(path)).body).toContain(sentence);
  }
  const skipped = textOf("outcome.warm_up", { provider: "Google", cap: 2, from: "2026-11-25" });
  expect((await dashboard.get("/operator/editions/2026-11-24?state=skipped")).body).toContain(skipped);
});

test("page, API and command show the day, the limits and each provider", async () => {
  const answer = {
    state: "running",
    start: "2026-11-24",
    schedule: [2, 4],
    date: "2026-11-24",
    day: 1,
    cap: 2,
    hours: 1,
    planned: [
      { date: "2026-11-24", cap: 2 },
      { date: "2026-11-25", cap: 4 },
      { date: "2026-11-26", cap: null },
    ],
    providers: [
      { name: "google", readers: 3, sent: 2, leftOut: 1, servedFrom: "2026-11-25" },
      { name: "small.example", readers: 1, sent: 1, leftOut: 0, servedFrom: "2026-11-24" },
    ],
  };
  expect((await site.api("GET", "/warm-up")).json()).toEqual(answer);
  const { body } = await dashboard.get("/operator/providers");
  expect(body).toContain(textOf("warm_up.running", { day: 1, cap: 2, hours: 1, date: "Tuesday, 24 November 2026" }));
  expect(body).toContain('<tr><th scope="row">Google</th><td class="n">3</td><td class="n">2</td><td class="n">1</td>');
  const web = await startWeb(site.app);
  try {
    const env = { DAYLETTER_URL: web.url, DAYLETTER_TOKEN: token };
    expect(JSON.parse((await execute(["warmup", "show", "--json"], env)).stdout)).toEqual(answer);
    expect((await execute(["edition", "show"], env)).stdout).toMatch(/4 active: 3 get it.*^Warm-up .* 1 skipped$/ms);
    expect((await execute(["edition", "list"], env)).stdout).toMatch(/^2026-11-24 .* 1 +3 *$/m);
    expect((await execute(["warmup", "show"], env)).stdout).toMatch(/^google +3 +2 +1 +2026-11-25$/m);
  } finally {
    await web.stop();
  }
});

test("a publication without a warm-up says so", async () => {
  const other = await openWeb();
  try {
    expect((await other.api("GET", "/warm-up")).json()).toMatchObject({ state: "off", day: null, providers: [] });
    const page = await (await signIn(other)).get("/operator/providers");
    expect(page.body).toContain(textOf("warm_up.off"));
  } finally {
    await other.close();
  }
});
