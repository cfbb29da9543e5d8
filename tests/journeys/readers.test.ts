import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ingest } from "../../src/articles/ingest.ts";
import { findEdition } from "../../src/editions/store.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { apiSource } from "../../src/sources/store.ts";
import { changeAddress, confirmAddressChange } from "../../src/subscribers/change-address.ts";
import { confirm, readConfirmation } from "../../src/subscribers/confirm.ts";
import { erase } from "../../src/subscribers/erase.ts";
import { pauseReader, setTags } from "../../src/subscribers/preferences.ts";
import { requestSampleMail } from "../../src/subscribers/request-mail.ts";
import { requestSignup } from "../../src/subscribers/signup.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { suppressAddress } from "../../src/subscribers/suppressions.ts";
import { buildWeb } from "../../src/web/build.ts";
import { type RunningWorker, startWorker } from "../../src/worker.ts";
import { movedClock } from "../support/clock.ts";
import { allEngines } from "../support/engines.ts";
import { forge } from "../support/forge.ts";
import { readMail } from "../support/reading.ts";
import { type Sink, startSink } from "../support/sink.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

describe.each(allEngines)("readers who come by themselves, on $name", ({ open }) => {
  const clock = movedClock("2026-11-24T08:00:00Z");
  let engines: Awaited<ReturnType<typeof open>>;
  let sink: Sink;
  let world: World;
  let worker: RunningWorker;
  /** Articles so far, to give each an address of its own. */
  let published = 0;

  beforeAll(async () => {
    engines = await open();
    sink = await startSink();
    world = await openWorld({ clock, env: { ...engines.env, SMTP_URL: sink.url, SEND_AT: "07:00", TIMEZONE: "UTC" } });
    // Caps go by the machine's time, and these readers sign up again within minutes of it.
    world.app.mayMail = async () => true;
    worker = await startWorker(world.app);
    await publish("LG U+ before anybody reads", "lg u+", "huawei", "한국");
  });

  afterAll(async () => {
    await worker?.stop();
    await world?.close();
    await Promise.all([sink?.close(), engines?.close()]);
  });

  async function publish(title: string, ...tags: string[]): Promise<void> {
    const { app } = world;
    const url = `https://news.example/${(published += 1)}`;
    const article = { guid: null, url, title, summary: "", tags, publishedAt: null, origin: null };
    await ingest(app, await apiSource(app.db, app.clock.now()), [article]);
  }

  const ask = (address: string, tags: string[], timezone: string | null = null) =>
    requestSignup(world.app, { address, tags, allTags: false, timezone, formUrl: null, from: "192.0.2.7" });

  /** Mails to an address, oldest first, once there are so many. */
  async function mailsTo(address: string, count: number) {
    const own = () => sink.messages.filter((message) => message.to === address);
    await eventually(`${address} has ${count} mails`, async () => own().length >= count);
    expect(own().map(({ raw }) => /^Subject: .*/m.exec(raw.toString())?.[0])).toHaveLength(count);
    return Promise.all(own().map(async (one) => ({ ...(await readMail(one)), raw: one.raw.toString("latin1") })));
  }

  const tokenIn = (text: string, path: string) => new RegExp(`alerts\\.example/${path}/([\\w-]+)`).exec(text)![1]!;

  /** Signs up and confirms by the link of the newest mail. @param before how many mails the address has had */
  async function subscribe(address: string, tags: string[], { timezone = null as string | null, before = 0 } = {}) {
    await ask(address, tags, timezone);
    const mail = (await mailsTo(address, before + 1)).at(-1)!;
    const reader = await confirm(world.app, tokenIn(mail.text, "confirm"), "192.0.2.8");
    await mailsTo(address, before + 2);
    return reader;
  }

  /** Resolves when nothing that was asked for is left undone. */
  const quiet = () =>
    eventually("sign-ups and notices are settled", async () => {
      const { db } = world.app;
      const unsettled = db.selectFrom("notices").select("id").where("state", "in", ["pending", "sending", "deferred"]);
      const waiting = db.selectFrom("signups").select("id");
      return (await unsettled.execute()).length + (await waiting.execute()).length === 0;
    });

  /** Moves the clock, looks for work, and waits for the date's edition to be in that state. */
  async function edition(at: string, state = "finished") {
    clock.set(at);
    await world.app.wake("recover", {});
    return eventually(`the edition of ${at} is ${state}`, async () => {
      const found = await findEdition(world.app.db, at.slice(0, 10));
      return found?.state === state ? found : null;
    });
  }

  test("from a sign-up with tags to the mail, the next edition, and one click that ends it", async () => {
    const { app } = world;
    await ask("lg@example.org", ["LG U+"]);
    const [asked] = await mailsTo("lg@example.org", 1);
    expect(asked!.subject).toBe("Confirm your subscription to Telecom Daily");
    expect(asked!.text).toContain("lg u+");
    expect(asked!.raw).not.toMatch(/^(List-|Precedence)/m);
    const token = tokenIn(asked!.text, "confirm");
    expect(await readConfirmation(app, token)).toEqual({ tags: ["lg u+"], allTags: false, confirmed: false });
    expect((await findByAddress(app.db, "lg@example.org"))?.status).toBe("pending");

    const reader = await confirm(app, token, "192.0.2.8");
    expect(reader).toMatchObject({ status: "active", tags: ["lg u+"] });
    const [, welcome] = await mailsTo("lg@example.org", 2);
    expect(welcome!.subject).toBe("Welcome to Telecom Daily");
    expect(welcome!.raw).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
    await confirm(app, token, "192.0.2.8");
    expect(await readConfirmation(app, token)).toMatchObject({ confirmed: true });

    await setTags(app, reader.id, { allTags: false, tagIds: await tagIds("huawei"), newTags: [] });
    await publish("Huawei, but of no concern to LG", "huawei");
    await publish("LG U+ again", "lg u+");
    await edition("2026-11-25T07:00:10Z");
    const mails = await mailsTo("lg@example.org", 3);
    expect(mails[2]!.headlines.toSorted()).toEqual(["Huawei, but of no concern to LG", "LG U+ before anybody reads"]);

    const web = buildWeb(app);
    const path = /^List-Unsubscribe: <https:\/\/alerts\.example(.*)>\r$/m.exec(
      mails[2]!.raw.replace(/\r\n /g, " "),
    )![1]!;
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const click = await web.inject({ method: "POST", url: path, headers, payload: "List-Unsubscribe=One-Click" });
    await web.close();
    expect(click.statusCode).toBe(200);
    await publish("More of Huawei", "huawei");
    await edition("2026-11-26T07:00:10Z");
    await mailsTo("lg@example.org", 3);
  });

  async function tagIds(...names: string[]): Promise<number[]> {
    const rows = await world.app.db.selectFrom("tags").select("id").where("name", "in", names).execute();
    return rows.map(({ id }) => id);
  }

  test("who comes back follows what they asked for then; who is here is told so, and nothing changes", async () => {
    const reader = await subscribe("lg@example.org", ["한국"], { before: 3 });
    expect(reader).toMatchObject({ status: "active", tags: ["한국"], leftAt: null });
    const [, , , , welcome] = await mailsTo("lg@example.org", 5);
    expect(welcome!.text).not.toContain("From the latest edition");

    await ask("LG@example.org", ["huawei"]);
    const told = (await mailsTo("lg@example.org", 6))[5]!;
    expect(told.subject).toBe("You are already subscribed to Telecom Daily");
    expect(told.text).toContain("/preferences/");
    expect(told.text).not.toContain("/confirm/");
    expect((await findByAddress(world.app.db, "lg@example.org"))?.tags).toEqual(["한국"]);
  });

  test("a reader with a clock of their own gets the edition frozen last at the publication's hour there", async () => {
    await subscribe("seoul@example.org", ["lg u+"], { timezone: "Asia/Seoul" });
    await subscribe("london@example.org", ["lg u+"], { timezone: "Europe/London" });
    await subscribe("here@example.org", ["lg u+"]);
    await publish("LG U+ in the morning", "lg u+");
    await edition("2026-11-27T07:00:10Z", "sending");
    await mailsTo("london@example.org", 3); // In November London's clock is UTC.
    await mailsTo("here@example.org", 3);
    clock.set("2026-11-27T21:59:00Z");
    await world.app.wake("recover", {});
    await quiet();
    await mailsTo("seoul@example.org", 2);
    clock.set("2026-11-27T22:00:20Z"); // 07:00:20 on the 28th in Seoul
    await world.app.wake("recover", {});
    const mails = await mailsTo("seoul@example.org", 3);
    expect(mails[2]!.headlines).toEqual(["LG U+ in the morning"]);
    await eventually(
      "it is finished",
      async () => (await findEdition(world.app.db, "2026-11-27"))?.state === "finished",
    );
  });

  test("a reader who pauses is left out until the pause is over", async () => {
    const { app } = world;
    const here = (await findByAddress(app.db, "here@example.org"))!;
    await pauseReader(app, { id: here.id, until: new Date("2026-11-29T00:00:00Z"), by: "reader" });
    await publish("While they are away", "lg u+");
    await edition("2026-11-28T07:00:10Z", "sending");
    await mailsTo("london@example.org", 4);
    await publish("When they are back", "lg u+");
    await edition("2026-11-29T07:00:10Z", "sending");
    expect((await mailsTo("here@example.org", 4))[3]!.headlines).toEqual(["When they are back"]);
    await expect(
      pauseReader(app, { id: here.id, until: new Date("2020-01-01T00:00:00Z"), by: "reader" }),
    ).rejects.toMatchObject({ status: 422 });
  });

  test("an address changes when the new mailbox says yes, and not before", async () => {
    const { app } = world;
    const here = (await findByAddress(app.db, "here@example.org"))!;
    await changeAddress(app, here.id, "there@example.org", "192.0.2.9");
    const [mail] = await mailsTo("there@example.org", 1);
    expect((await findByAddress(app.db, "here@example.org"))?.id).toBe(here.id);
    const token = tokenIn(mail!.text, "change-address");
    await expect(confirmAddressChange(app, forge(token), null)).rejects.toMatchObject({ status: 404 });
    await confirmAddressChange(app, token, "192.0.2.9");
    await expect(confirmAddressChange(app, token, null)).rejects.toMatchObject({ status: 404 });
    expect(await findByAddress(app.db, "here@example.org")).toBeNull();
    // The former mailbox hears of it.
    await mailsTo("here@example.org", 5);
    await publish("At the new address", "lg u+");
    await edition("2026-11-30T07:00:10Z", "sending");
    expect((await mailsTo("there@example.org", 2))[1]!.headlines).toEqual(["At the new address"]);
    await mailsTo("here@example.org", 5);

    await changeAddress(app, here.id, "london@example.org", null);
    expect((await mailsTo("london@example.org", 7)).at(-1)!.subject).toBe(
      "You are already subscribed to Telecom Daily",
    );
  });

  test("an erased reader is gone, and the editions they had still add up", async () => {
    const { app } = world;
    const london = (await findByAddress(app.db, "london@example.org"))!;
    await edition("2026-11-30T22:00:20Z"); // Seoul's hour
    await publish("For nobody in London", "lg u+");
    const before = (await findEdition(app.db, "2026-11-27"))!;
    const { balance } = await editionStatus(app.db, before);
    await erase(app, london.id);
    expect((await editionStatus(app.db, before)).balance).toEqual(balance);
    const { rows } = await app.database.pool.query<{ dump: string }>(
      "select coalesce(string_agg(t::text, ' '), '') as dump from (select d::text as t from deliveries d union all select s::text from subscribers s union all select c::text from consents c union all select n::text from notices n union all select a::text from audit a) x",
    );
    expect(rows[0]!.dump).not.toContain("london@");
    await edition("2026-12-01T07:00:10Z", "sending");
    await mailsTo("there@example.org", 3);
    await mailsTo("london@example.org", 7);
    await expect(erase(app, london.id)).rejects.toMatchObject({ status: 404 });
  });

  test("a suppressed address comes back by its owner's own yes, and one that complained never", async () => {
    const { app } = world;
    for (const [address, reason] of [
      ["back@example.org", "operator"],
      ["never@example.org", "complaint"],
    ] as const) {
      await subscribe(address, ["huawei"]);
      await suppressAddress(app, { address, reason, detail: null, actor: "test" });
      expect((await findByAddress(app.db, address))?.status).toBe("suppressed");
      await ask(address, ["huawei"]);
    }
    const asked = (await mailsTo("back@example.org", 3))[2]!;
    await quiet();
    expect((await findByAddress(app.db, "back@example.org"))?.status).toBe("suppressed");
    await confirm(app, tokenIn(asked.text, "confirm"), null);
    expect((await findByAddress(app.db, "back@example.org"))?.status).toBe("active");
    expect(await mailsTo("never@example.org", 2)).toHaveLength(2);
  });

  test("a sample copy goes to whoever asks, and to no suppressed address", async () => {
    await requestSampleMail(world.app, { address: "curious@example.org", tags: ["huawei"] });
    await requestSampleMail(world.app, { address: "never@example.org", tags: ["huawei"] });
    const [sample] = await mailsTo("curious@example.org", 1);
    expect(sample!.subject).toMatch(/^Sample copy: /);
    await quiet();
    await mailsTo("never@example.org", 2);
    expect(await findByAddress(world.app.db, "curious@example.org")).toBeNull();
  });
});
