import nodemailer from "nodemailer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unsubscribeMailto } from "../../src/mail/return-path.ts";
import { openBounceListener, type BounceListener } from "../../src/outcomes/listener.ts";
import { unsubscribeByEmail } from "../../src/outcomes/unsubscribe-email.ts";
import { erase } from "../../src/subscribers/erase.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { resubscribeReader } from "../../src/subscribers/unsubscribe.ts";
import { addAllNewsReaders } from "../support/readers.ts";
import { openWorld, type World } from "../support/world.ts";

const bounceAddress = "bounce@news.example.com";
let world: World;
let listener: BounceListener;
beforeAll(async () => {
  world = await openWorld({ env: { BOUNCE_ADDRESS: bounceAddress, BOUNCE_LISTEN: "127.0.0.1:0" } });
  listener = await openBounceListener(world.app, { protocol: "smtp", host: "127.0.0.1", port: 0, bounceAddress });
});
afterAll(async () => {
  await listener.close();
  await world.close();
});

/** What a reader's email program does. @returns the listener's reply */
async function send(to: string, { from = "reader@example.org", head = "" } = {}): Promise<string> {
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port: listener.port, ignoreTLS: true });
  try {
    const raw = `From: reader@example.org\r\nTo: ${to}\r\nSubject: unsubscribe\r\n${head}\r\n`;
    const { response } = await transport.sendMail({ envelope: { from, to }, raw });
    return response;
  } catch (error) {
    return (error as { response?: string }).response ?? String(error);
  } finally {
    transport.close();
  }
}

/** A new reader, and the address in the header of their emails. */
async function reader(address: string): Promise<{ id: number; to: string; status(): Promise<string | undefined> }> {
  const { app } = world;
  await addAllNewsReaders(app, [address]);
  const { id, key } = (await findByAddress(app.db, address))!;
  const mailto = unsubscribeMailto({ secret: app.options.secret, bounceAddress }, key);
  const to = decodeURIComponent(/^mailto:([^?]+)/.exec(mailto)![1]!);
  return { id, to, status: async () => (await findByAddress(app.db, address))?.status };
}

test("an email to the address unsubscribes the reader at once, from wherever it comes, and once is enough", async () => {
  const { app } = world;
  const { id, to, status } = await reader("r1@example.org");
  const other = await reader("r2@example.org");
  // A server may change the case.
  expect(await send(to.toUpperCase(), { from: "someone@other.example" })).toMatch(/^250 /);
  const left = (await findByAddress(app.db, "r1@example.org"))!;
  expect(left).toMatchObject({ status: "unsubscribed", leftAt: expect.any(Date) });
  expect(await other.status()).toBe("active");
  expect(await send(to)).toMatch(/^250 /);
  expect(await findByAddress(app.db, "r1@example.org")).toEqual(left);
  // The reader came back, and leaves again by an old email.
  await resubscribeReader(app, { id, from: "192.0.2.1" });
  expect(await status()).toBe("active");
  await send(to, { head: "Auto-Submitted: no (a person)\r\n" });
  expect(await status()).toBe("unsubscribed");
  expect(await app.db.selectFrom("suppressions").selectAll().execute()).toEqual([]);
});

test.each([
  ["a bounce", { from: "" }],
  ["a bounce with a sender", { head: "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n" }],
  ["an automatic reply", { head: "Auto-Submitted: auto-replied (vacation)\r\n" }],
  ["an automatic email", { head: "AUTO-SUBMITTED:\r\n auto-generated\r\n" }],
])("%s to it is accepted and changes nothing", async (what, email) => {
  const { to, status } = await reader(`${what.replaceAll(" ", "-")}@example.org`);
  expect(await send(to, email)).toMatch(/^250 /);
  expect(await status()).toBe("active");
});

test("Apple Mail's button unsubscribes, though it marks its email as an automatic reply", async () => {
  const { to, status } = await reader("r5@icloud.example");
  await send(to, { head: "Auto-Submitted: auto-replied\r\nX-Apple-Unsubscribe: true\r\n" });
  expect(await status()).toBe("unsubscribed");
});

test("where the envelope is not known, Return-Path says whether it is a bounce", async () => {
  const { to: address, status } = await reader("r3@example.org");
  const email = { address, sender: null };
  expect(await unsubscribeByEmail(world.app, { ...email, raw: Buffer.from("Return-Path: <>\r\n\r\nx") })).toBe(true);
  expect(await status()).toBe("active");
  const raw = Buffer.from("Return-Path: <r3@example.org>\r\n\r\nAuto-Submitted: auto-replied\r\n");
  expect(await unsubscribeByEmail(world.app, { ...email, raw })).toBe(true);
  expect(await status()).toBe("unsubscribed");
});

test("an email for a reader who was erased is accepted and ignored, and a forged address is refused", async () => {
  const { id, to, status } = await reader("r4@example.org");
  await erase(world.app, id);
  expect(await send(to)).toMatch(/^250 /);
  expect(await status()).toBeUndefined();
  const wrong = to.replace(/.@/, (end) => (end === "a@" ? "b@" : "a@"));
  expect(await send(wrong)).toMatch(/^550 /);
});
