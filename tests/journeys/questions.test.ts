import { simpleParser } from "mailparser";
import nodemailer from "nodemailer";
import { expect, test } from "vitest";
import { freePort } from "../../src/base/free-port.ts";
import { findEdition } from "../../src/editions/store.ts";
import { addSubscriber } from "../../src/subscribers/add.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { buildWeb } from "../../src/web/build.ts";
import { startWorker } from "../../src/worker.ts";
import { movedClock } from "../support/clock.ts";
import { closedAfterEach } from "../support/closing.ts";
import { allEngines } from "../support/engines.ts";
import { addArticle } from "../support/readers.ts";
import { startSink } from "../support/sink.ts";
import { eventually, openWorld } from "../support/world.ts";

const dayMs = 24 * 3_600_000;
const closing = closedAfterEach();

test.each(allEngines)(
  "two readers are asked after a year; one presses the button, the other is paused and comes back, on $name",
  async ({ open }) => {
    const clock = movedClock("2026-11-24T07:30:00Z");
    const engines = await open();
    const sink = await startSink();
    const bouncePort = await freePort();
    const world = await openWorld({
      clock,
      env: {
        ...engines.env,
        SMTP_URL: sink.url,
        SEND_AT: "07:00",
        ASK_AGAIN_MONTHS: "12",
        BOUNCE_ADDRESS: "bounce@news.example.com",
        BOUNCE_LISTEN: `127.0.0.1:${bouncePort}`,
      },
    });
    const { app } = world;
    const web = buildWeb(app);
    const worker = await startWorker(app);
    closing.push(async () => {
      await web.close();
      await worker.stop();
      await world.close();
      await Promise.all([sink.close(), engines.close()]);
    });
    const to = (address: string) => sink.messages.filter((message) => message.to === address);
    const look = async (at: Date) => {
      clock.set(at);
      await app.wake("ask-again", {});
    };
    const later = (n: number): Date => new Date(clock.now().getTime() + n * dayMs);
    /** Sends the edition of the date. @returns who got it */
    const edition = async (): Promise<string[]> => {
      const before = sink.count();
      const date = clock.now().toISOString().slice(0, 10);
      await addArticle(app, `News of ${date}`);
      await app.wake("recover", {});
      await eventually("the edition is finished", async () => (await findEdition(app.db, date))?.state === "finished");
      return sink.messages
        .slice(before)
        .map((message) => message.to)
        .toSorted();
    };
    const reader = async (address: string) => (await findByAddress(app.db, address))!;

    for (const address of ["ada@example.org", "bob@example.org"]) {
      await addSubscriber(app, { address, tags: [], allTags: true, confirmed: true, actor: "test" });
    }
    await look(new Date("2027-11-25T10:00:00Z"));
    await eventually(
      "both are asked",
      async () => (await app.db.selectFrom("questions").select("id").execute()).length === 2,
    );
    clock.advance(60_000);
    await app.wake("recover", {});
    await eventually(
      "both have the email",
      async () => to("ada@example.org").length + to("bob@example.org").length === 2,
    );

    const [question] = to("ada@example.org");
    const mail = await simpleParser(question!.raw);
    const html = mail.html || "";
    const links = [...html.matchAll(/href="([^"]+)"/g)].map((match) => match[1]!);
    const button = links.find((link) => link.includes("/keep/"))!;
    expect(mail.text).toContain(button);
    expect(links.every((link) => link.startsWith("https://alerts.example/"))).toBe(true);
    expect(html).not.toMatch(/<img/i);
    expect(mail.headers.get("list")).toMatchObject({ unsubscribe: { url: expect.any(String) } });

    // A scanner opens every link, and the mailbox of the other returns the email.
    for (const link of links) await web.inject(new URL(link).pathname);
    expect((await web.inject({ method: "POST", url: new URL(button).pathname })).statusCode).toBe(200);
    const transport = nodemailer.createTransport({ host: "127.0.0.1", port: bouncePort, ignoreTLS: true });
    const report = "Reporting-MTA: dns; mx.example.org\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    const raw = `Content-Type: message/delivery-status\r\n\r\n${report}`;
    await transport.sendMail({ envelope: { from: "", to: to("bob@example.org")[0]!.from }, raw });
    transport.close();
    expect((await reader("bob@example.org")).status).toBe("active");

    await look(later(30));
    await eventually("one is paused", async () => (await reader("bob@example.org")).pausedSince !== null);
    expect(await reader("ada@example.org")).toMatchObject({ status: "active", pausedSince: null });
    clock.set(later(1));
    expect(await edition()).toEqual(["ada@example.org"]);

    const asked = await simpleParser(to("bob@example.org")[0]!.raw);
    const back = /https:\/\/alerts\.example(\/keep\/[\w-]+)/.exec(asked.text!)![1]!;
    expect((await web.inject({ method: "POST", url: back })).statusCode).toBe(200);
    clock.set(later(1));
    expect(await edition()).toEqual(["ada@example.org", "bob@example.org"]);
  },
);
