import { balanceInWords } from "../../src/texts/deliveries.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendNow } from "../../src/editions/send-now.ts";
import { findEdition, getEdition, listEditions } from "../../src/editions/store.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { addSubscriber } from "../../src/subscribers/add.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { unsubscribe } from "../../src/subscribers/leave.ts";
import { startWorker, type RunningWorker } from "../../src/worker.ts";
import { movedClock } from "../support/clock.ts";
import { allEngines } from "../support/engines.ts";
import { startFeed, type FeedServer } from "../support/feed-server.ts";
import { readMail } from "../support/reading.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

const readers: Record<string, string[]> = {
  "lg@example.org": ["LG U+"],
  "korea@example.org": ["korea"],
  "both@example.org": ["huawei", "Korea"],
  "bonn@example.org": ["Deutsche Telekom"],
};

describe.each(allEngines)("a week of editions on $name", ({ open }) => {
  const clock = movedClock("2026-11-23T20:00:00Z");
  let engines: Awaited<ReturnType<typeof open>>;
  let feed: FeedServer;
  let sink: Sink;
  let world: World;
  let worker: RunningWorker;

  beforeAll(async () => {
    engines = await open();
    const at = clock.now();
    feed = await startFeed([
      { id: "lte", title: "US concerns over LG U+'s LTE contract", tags: ["lg u+", "huawei", "Korea"], at },
      { id: "5g", title: "KT & SK widen 5G", tags: ["Korea"], at },
      {
        id: "old",
        title: "From last month",
        tags: ["Korea", "Deutsche Telekom"],
        at: new Date("2026-10-20T08:00:00Z"),
      },
    ]);
    sink = await startSink();
    const settings = { SOURCES: feed.url, SMTP_URL: sink.url, TIMEZONE: "Asia/Seoul", SEND_AT: "07:00" };
    world = await openWorld({ clock, env: { ...engines.env, ...settings } });
    worker = await startWorker(world.app);
    await eventually("the feed was read", async () => {
      const articles = await world.app.db.selectFrom("articles").select("id").execute();
      return articles.length === 3;
    });
    const add = { allTags: false, confirmed: true, actor: "test" };
    for (const [address, tags] of Object.entries(readers)) await addSubscriber(world.app, { ...add, address, tags });
    await addSubscriber(world.app, { ...add, address: "all@example.org", tags: [], allTags: true });
    await addSubscriber(world.app, { ...add, address: "unconfirmed@example.org", tags: ["Korea"], confirmed: false });
  });

  afterAll(async () => {
    await worker?.stop();
    await world?.close();
    await Promise.all([sink?.close(), feed?.close(), engines?.close()]);
  });

  const look = () => world.app.wake("recover", {});
  const closed = (date: string, state: string, number = 1) =>
    eventually(`edition ${date} is ${state}`, async () => {
      const edition = await findEdition(world.app.db, date, number);
      return edition?.state === state ? edition : null;
    });
  const mailsSince = async (count: number) => {
    const mails = await Promise.all(sink.messages.slice(count).map(readMail));
    return Object.fromEntries(mails.map((mail) => [mail.to, mail]));
  };
  const headlines = async (count: number) =>
    Object.fromEntries(Object.entries(await mailsSince(count)).map(([to, mail]) => [to, mail.headlines.toSorted()]));

  test("before the hour nothing is sent", async () => {
    await look();
    await eventually("it was looked", async () => (await world.app.queues.editions.getCompletedCount()) > 1);
    expect(await listEditions(world.app.db, 10)).toEqual([]);
    expect(sink.count()).toBe(0);
  });

  test("at the hour each reader gets one mail with just their articles", async () => {
    clock.set("2026-11-23T22:00:30Z"); // 07:00:30 on the 24th in Seoul
    await look();
    const edition = await closed("2026-11-24", "finished");
    const both = ["KT & SK widen 5G", "US concerns over LG U+'s LTE contract"];
    expect(await headlines(0)).toEqual({
      "lg@example.org": [both[1]],
      "korea@example.org": both,
      "both@example.org": both,
      "all@example.org": both,
    });
    expect(sink.count()).toBe(4);
    expect((await mailsSince(0))["lg@example.org"]!.text).toContain("lg u+");
    expect(edition).toMatchObject({ articles: 2, readers: 5, unmatched: 1, selected: 4 });
    expect(balanceInWords((await editionStatus(world.app.db, edition)).balance)).toBe(
      "selected 4 = sent 4 + rejected 0 + expired 0 + skipped 0 + unknown 0",
    );
  });

  test("a second trigger for the date is refused and sends nothing", async () => {
    await expect(sendNow(world.app, { extra: false, actor: "test" })).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining("2026-11-24"),
    });
    await look();
    expect(sink.count()).toBe(4);
  });

  test("a late article comes in the next edition, once, and who has left gets nothing", async () => {
    feed.items.unshift({ id: "late", title: "Late: Huawei answers", tags: ["huawei"], at: clock.now() });
    const gone = await findByAddress(world.app.db, "all@example.org");
    await unsubscribe(world.app.db, gone!.id, clock.now());
    clock.set("2026-11-24T22:00:05Z");
    await look();
    await closed("2026-11-25", "finished");
    expect(await headlines(4)).toEqual({ "both@example.org": ["Late: Huawei answers"] });
  });

  test("a day without news is recorded as empty, and nothing is sent", async () => {
    clock.set("2026-11-25T22:01:00Z");
    await look();
    expect(await closed("2026-11-26", "empty")).toMatchObject({ selected: 0 });
    expect(sink.count()).toBe(5);
  });

  test("a three-day outage gives one late edition with all the news, and two recorded dates", async () => {
    feed.items.unshift({ id: "away", title: "While we were away", tags: ["Korea"], at: clock.now() });
    clock.set("2026-11-28T23:30:00Z"); // 08:30 on the 29th in Seoul; nothing has looked since the 26th
    await look();
    const edition = await closed("2026-11-29", "finished");
    expect(edition).toMatchObject({ reason_code: "sent_late", reason_data: { minutes: 90 } });
    expect((await getEdition(world.app.db, "2026-11-27")).state).toBe("missed");
    expect((await getEdition(world.app.db, "2026-11-28")).state).toBe("missed");
    expect(Object.keys(await mailsSince(5)).toSorted()).toEqual(["both@example.org", "korea@example.org"]);
    expect(sink.count()).toBe(7);
  });

  test("an extra edition of the same day has its own number and only new articles", async () => {
    feed.items.unshift({ id: "extra", title: "Extra", tags: ["lg u+"], at: clock.now() });
    const { number } = await sendNow(world.app, { extra: true, actor: "test" });
    await closed("2026-11-29", "finished", number);
    expect(number).toBe(2);
    expect(await headlines(7)).toEqual({ "lg@example.org": ["Extra"] });
  });
});
