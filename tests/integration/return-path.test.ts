import { afterAll, beforeAll, expect, test } from "vitest";
import { deliverSlice } from "../../src/deliveries/deliver-slice.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { readReturnPath } from "../../src/mail/return-path.ts";
import { sendNotices } from "../../src/notices/send.ts";
import { inviteSubscriber } from "../../src/subscribers/add.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { openWorld, type World } from "../support/world.ts";

const bounceAddress = "bounce@news.example.com";
let sink: Sink;
let world: World;
beforeAll(async () => {
  sink = await startSink();
  world = await openWorld({ env: { SMTP_URL: sink.url, BOUNCE_ADDRESS: bounceAddress } });
});
afterAll(async () => {
  await world.close();
  await sink.close();
});

test("each email leaves with a return path that names it", async () => {
  const { app } = world;
  await addAllNewsReaders(app, ["r0@example.org", "r1@example.org"]);
  await addArticle(app, "News");
  const { id: editionId } = await sendNow(app, { extra: false, actor: "test" });
  await renderEdition(app, editionId);
  await deliverSlice(app, { editionId, slice: 0 }, new AbortController().signal);
  await inviteSubscriber(app, {
    address: "new@example.org",
    tags: [],
    allTags: true,
    timezone: null,
    formUrl: null,
    actor: "test",
  });
  await sendNotices(app, new AbortController().signal);
  const options = { secret: app.options.secret, bounceAddress };
  const read = sink.messages.map(({ from, to }) => [to, readReturnPath(options, from)] as const);
  expect(read.toSorted(([a], [b]) => a.localeCompare(b))).toMatchObject([
    ["new@example.org", { kind: "notice" }],
    ["r0@example.org", { kind: "delivery", editionId }],
    ["r1@example.org", { kind: "delivery", editionId }],
  ]);
  expect(new Set(sink.messages.map(({ from }) => from)).size).toBe(3);
});
