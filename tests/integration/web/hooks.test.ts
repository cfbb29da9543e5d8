import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { sql } from "kysely";
import type { LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listAudit } from "../../../src/audit/audit.ts";
import { sendNow } from "../../../src/editions/send-now.ts";
import { editionMessageId, noticeMessageId } from "../../../src/mail/message-id.ts";
import { returnPath } from "../../../src/mail/return-path.ts";
import { emailServices, type EmailService } from "../../../src/outcomes/store.ts";
import { fetchDocument } from "../../../src/sources/fetch-document.ts";
import { erase } from "../../../src/subscribers/erase.ts";
import { findByAddress } from "../../../src/subscribers/store.ts";
import { findSuppressions } from "../../../src/subscribers/suppressions.ts";
import * as calls from "../../support/hook-calls.ts";
import type { About, Call } from "../../support/hook-calls.ts";
import { addAllNewsReaders, addArticle } from "../../support/readers.ts";
import { snsCertificates } from "../../support/sns-certificates.ts";
import { openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
/** What Amazon's host serves, by address, and what was asked for. */
const served = new Map<string, string>();
const asked: string[] = [];
let caller = 0;

beforeAll(async () => {
  site = await openWeb(
    { BOUNCE_ADDRESS: "bounce@news.example.com", ...calls.hookSettings },
    {
      async fetchDocument(url) {
        asked.push(url);
        const content = served.get(url);
        if (content === undefined) throw new Error("status 404");
        return Buffer.from(content);
      },
    },
  );
});
afterAll(() => site.close());
beforeEach(async () => {
  site.clock.at = new Date("2026-11-24T08:00:00Z");
  site.errors.length = 0;
  asked.length = 0;
  served.set(calls.certificateUrl, snsCertificates.genuine);
  await sql`truncate editions, articles, subscribers, suppressions, audit, notices, caps cascade`.execute(site.app.db);
});

/** An edition that the relay has accepted for all readers. */
async function sent(): Promise<number> {
  const at = site.clock.now();
  await addArticle(site.app, `News of ${at.toISOString()}`);
  const { id } = await sendNow(site.app, { extra: false, actor: "test" });
  await sql`update deliveries set state = 'sent', attempts = 1, reply = '250 ok', settled_at = ${at}, due_at = null
    where edition_id = ${id}`.execute(site.app.db);
  await sql`update editions set state = 'finished', sending_at = ${at}, closed_at = ${at} where id = ${id}`.execute(
    site.app.db,
  );
  return id;
}

const readers = (count: number) => Array.from({ length: count }, (_, i) => `r${i}@example.org`);
/** From a network of its own, so that the limit on wrong calls plays no part. */
function post(service: EmailService, { headers, body }: Call): Promise<LightMyRequestResponse> {
  caller += 1;
  const remoteAddress = `10.1.${caller >> 8}.${caller & 255}`;
  return site.inject({ method: "POST", url: `/api/v1/hooks/${service}`, headers, payload: body, remoteAddress });
}
const outcomes = () =>
  site.app.db
    .selectFrom("delivery_outcomes as o")
    .leftJoin("deliveries as d", (join) =>
      join.onRef("d.edition_id", "=", "o.edition_id").onRef("d.id", "=", "o.delivery_id"),
    )
    .leftJoin("subscribers as s", "s.id", "d.subscriber_id")
    .selectAll("o")
    .select("s.address")
    .orderBy("o.recorded_at")
    .orderBy("o.outcome")
    .execute();
const status = async (address: string) => (await findByAddress(site.app.db, address))?.status ?? null;
const isSuppressed = async (address: string) =>
  (await findSuppressions(site.app.db, site.app.options.secret, [address])).size > 0;
async function messageIdOf(address: string, edition = "2026-11-24"): Promise<string> {
  const { key } = (await findByAddress(site.app.db, address))!;
  return editionMessageId(site.app.options.secret, edition, key, "example.com");
}

/** A genuine call of each service about a hard bounce and a complaint. */
const services: Record<EmailService, { bounce: (about: About) => Call; complaint: (about: About) => Call }> = {
  ses: {
    bounce: (about) => calls.snsCall(calls.sesBounce(about), site.clock.at),
    complaint: (about) => calls.snsCall(calls.sesComplaint(about), site.clock.at, { version: "2" }),
  },
  sendgrid: {
    bounce: (about) => {
      const said = { reason: "500 unknown recipient", status: "5.0.0", bounce_classification: "Invalid Address" };
      return calls.sendGridCall([calls.sendGridEvent("bounce", about, said)], site.clock.at);
    },
    complaint: (about) => calls.sendGridCall([calls.sendGridEvent("spamreport", about)], site.clock.at),
  },
  mailgun: {
    bounce: (about) => {
      const reply = { code: 550, message: "5.1.1 The email account that you tried to reach does not exist" };
      const said = { severity: "permanent", reason: "bounce", "delivery-status": reply };
      return calls.mailgunCall(calls.mailgunEvent("failed", about, said), site.clock.at);
    },
    complaint: (about) => calls.mailgunCall(calls.mailgunEvent("complained", about), site.clock.at),
  },
  postmark: {
    bounce: (about) => calls.passwordCall(calls.postmarkBounce(about)),
    complaint: (about) => calls.passwordCall(calls.postmarkBounce(about, { RecordType: "SpamComplaint" })),
  },
  brevo: {
    bounce: (about) => calls.passwordCall(calls.brevoEvent("hard_bounce", about, { reason: "550 5.1.1 unknown" })),
    complaint: (about) => calls.passwordCall([calls.brevoEvent("spam", about)]),
  },
  sparkpost: {
    bounce: (about) => calls.passwordCall([calls.sparkPostEvent("bounce", about)]),
    complaint: (about) => calls.passwordCall([calls.sparkPostEvent("spam_complaint", about)]),
  },
};
/** Their signature is in the body. */
const inBody = new Set<EmailService>(["ses", "mailgun"]);
const nothing = { recorded: 0, unchanged: 0, refused: 0 };

test.each(emailServices)(
  "%s: a bounce and a complaint suppress the address, and coming twice changes nothing",
  async (name) => {
    await addAllNewsReaders(site.app, readers(3));
    await sent();
    const at = new Date("2026-11-24T07:58:00Z");
    const bounce = services[name].bounce({ address: "R0@example.org", at });
    const first = await post(name, bounce);
    expect([first.statusCode, first.json()]).toEqual([200, { ...nothing, recorded: 1 }]);
    expect((await post(name, bounce)).json()).toEqual({ ...nothing, unchanged: 1 });
    expect((await post(name, services[name].complaint({ address: "r1@example.org", at }))).json()).toMatchObject({
      recorded: 1,
    });
    expect(await outcomes()).toMatchObject([
      { address: "r0@example.org", outcome: "bounced", kind: "hard", source: name, guess: false, happened_at: at },
      { address: "r1@example.org", outcome: "complained", kind: null, source: name },
    ]);
    expect(await Promise.all(readers(3).map(status))).toEqual(["suppressed", "suppressed", "active"]);
    const [entry] = await listAudit(site.app.db, { limit: 1 });
    expect(entry).toMatchObject({
      actor: "dayletter",
      action: "outcomes record",
      detail: { source: name, suppressed: 1 },
    });
    expect(entry!.from).toMatch(/^10\.1\./);
  },
);

test.each(emailServices)(
  "%s: an unknown and an erased reader change nothing, and the service need not try again",
  async (name) => {
    await addAllNewsReaders(site.app, readers(1));
    await sent();
    await erase(site.app, (await findByAddress(site.app.db, "r0@example.org"))!.id, "test");
    const { bounce, complaint } = services[name];
    const at = site.clock.at;
    for (const address of [
      "nobody@example.org",
      "r0@example.org",
      "no address",
      "a\0b@example.org",
      "\ud800@example.org",
    ]) {
      const answer = await post(name, bounce({ address, at }));
      expect([address, answer.statusCode, answer.json()]).toEqual([address, 200, { ...nothing, refused: 1 }]);
    }
    expect(await outcomes()).toEqual([]);
    // Whoever has complained is never emailed again, whether they are known or not.
    expect((await post(name, complaint({ address: "nobody@example.org", at }))).json()).toEqual({
      ...nothing,
      recorded: 1,
    });
    expect(await isSuppressed("nobody@example.org")).toBe(true);
    expect(site.errors).toEqual([]);
  },
);

test.each(emailServices)("%s: a call that is not genuine is refused, and nothing is recorded", async (name) => {
  await addAllNewsReaders(site.app, readers(1));
  await sent();
  const about = { address: "r0@example.org", at: site.clock.at };
  const { headers, body } = services[name].bounce(about);
  const another = body.replace("r0@example.org", "r1@example.org");
  const forged: Call[] = [{ headers: { "content-type": "application/json" }, body: inBody.has(name) ? "{}" : body }];
  if (name === "postmark" || name === "brevo" || name === "sparkpost") {
    forged.push(calls.passwordCall(body, "another-password-that-is-long-enough"), calls.passwordCall(body, ""));
    forged.push({ headers: { ...headers, authorization: `Bearer ${calls.hookPassword}x` }, body });
    forged.push({ headers: { ...headers, authorization: "Basic" }, body });
  } else if (name === "sendgrid") {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    forged.push({ headers, body: another }, calls.sendGridCall(body, site.clock.at, privateKey));
    const later = String(Number(headers["x-twilio-email-event-webhook-timestamp"]) + 1);
    forged.push({ headers: { ...headers, "x-twilio-email-event-webhook-timestamp": later }, body });
    forged.push({ headers: { ...headers, "x-twilio-email-event-webhook-signature": "MEUCIQ==" }, body });
  } else if (name === "mailgun") {
    forged.push(
      calls.mailgunCall(calls.mailgunEvent("complained", about), site.clock.at, "another key of the same kind"),
    );
    forged.push({ headers, body: body.replace(/"timestamp":"\d+"/, '"timestamp":"1795507201"') });
  } else {
    forged.push({ headers, body: another });
    forged.push(calls.snsCall(calls.sesBounce(about), about.at, { replaced: { SignatureVersion: "3" } }));
    forged.push(
      calls.snsCall(calls.sesBounce(about), about.at, { replaced: { Timestamp: "2026-11-24T07:00:00.000Z" } }),
    );
    forged.push(calls.snsCall(calls.sesBounce(about), about.at, { replaced: { Type: "Other" } }));
  }
  for (const call of forged) {
    const answer = await post(name, call);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([401, "webhook_unverified"]);
    expect(answer.headers["content-type"]).toMatch("application/problem+json");
  }
  expect(await outcomes()).toEqual([]);
  expect(await status("r0@example.org")).toBe("active");
});

test.each(["ses", "sendgrid", "mailgun"] as const)("%s: a call that is a day old is a replay", async (name) => {
  await addAllNewsReaders(site.app, readers(1));
  await sent();
  const call = services[name].bounce({ address: "r0@example.org", at: site.clock.at });
  site.clock.at = new Date("2026-11-25T09:01:00Z");
  expect((await post(name, call)).json()).toMatchObject({ status: 401, details: { check: "time" } });
  site.clock.at = new Date("2026-11-24T07:50:00Z");
  expect((await post(name, call)).json()).toMatchObject({ status: 401, details: { check: "time" } });
  site.clock.at = new Date("2026-11-25T07:00:00Z");
  expect((await post(name, call)).json()).toEqual({ ...nothing, recorded: 1 });
});

test("a signature of Mailgun belongs to the event that it came with first", async () => {
  await addAllNewsReaders(site.app, readers(2));
  await sent();
  const at = site.clock.at;
  const call = services.mailgun.complaint({ address: "r0@example.org", at });
  const forged = { ...call, body: call.body.replaceAll("r0@example.org", "r1@example.org") };
  expect((await post("mailgun", call)).statusCode).toBe(200);
  expect((await post("mailgun", forged)).json()).toMatchObject({ status: 401, details: { check: "token" } });
  expect((await post("mailgun", forged)).statusCode).toBe(401);
  expect(await status("r1@example.org")).toBe("active");
});

test("Brevo can also send a bearer token", async () => {
  const call = { headers: { authorization: `Bearer ${calls.hookPassword}` }, body: "[]" };
  expect((await post("brevo", call)).json()).toEqual(nothing);
});

test("events may come in any order: a hard bounce replaces a soft one, and nothing replaces it", async () => {
  await addAllNewsReaders(site.app, readers(3));
  await sent();
  const at = site.clock.at;
  const soft = (address: string) => calls.brevoEvent("soft_bounce", { address, at }, { reason: "452 4.2.2 full" });
  const hard = (address: string) => calls.brevoEvent("hard_bounce", { address, at }, { reason: "550 5.1.1 unknown" });
  const batch = [soft("r0@example.org"), hard("r0@example.org"), hard("r1@example.org"), soft("r1@example.org")];
  const ignored = [calls.brevoEvent("delivered", { address: "r2@example.org", at }), 7, null];
  expect((await post("brevo", calls.passwordCall([...batch, ...ignored]))).json()).toEqual({
    recorded: 3,
    unchanged: 1,
    refused: 0,
  });
  expect((await outcomes()).map(({ kind }) => kind)).toEqual(["hard", "hard"]);
});

test("the Message-ID finds the edition, also after the next one, and that of another reader or publication finds nothing", async () => {
  await addAllNewsReaders(site.app, readers(3));
  const first = await sent();
  site.clock.at = new Date("2026-11-25T08:00:00Z");
  const second = await sent();
  const at = new Date("2026-11-25T09:00:00Z");
  site.clock.at = at;
  const about = async (address: string, messageId: string) =>
    (await post("sendgrid", services.sendgrid.bounce({ address, at, messageId }))).json<object>();
  expect(await about("r0@example.org", await messageIdOf("r0@example.org"))).toMatchObject({ recorded: 1 });
  expect(await about("r1@example.org", "<another.id@example.com>")).toMatchObject({ recorded: 1 });
  expect(await about("r2@example.org", await messageIdOf("r0@example.org"))).toMatchObject({ refused: 1 });
  expect(await about("r2@example.org", `<2026-11-24.${randomBytes(16).toString("hex")}@other.example>`)).toMatchObject({
    refused: 1,
  });
  expect(await about("r2@example.org", `<2026-99-24.${randomBytes(16).toString("hex")}@other.example>`)).toMatchObject({
    refused: 1,
  });
  expect(await outcomes()).toMatchObject([
    { address: "r0@example.org", edition_id: first },
    { address: "r1@example.org", edition_id: second },
  ]);
  expect(await status("r2@example.org")).toBe("active");
});

test("an address that was changed since is not the reader's any more", async () => {
  await addAllNewsReaders(site.app, readers(1));
  await sent();
  const messageId = await messageIdOf("r0@example.org");
  await sql`update subscribers set address = 'new@example.org', address_key = 'new@example.org'`.execute(site.app.db);
  const at = site.clock.at;
  const answer = await post("sendgrid", services.sendgrid.bounce({ address: "r0@example.org", at, messageId }));
  expect(answer.json()).toEqual({ ...nothing, refused: 1 });
  expect(await status("new@example.org")).toBe("active");
});

test("the return path of an email names it, even without a reader", async () => {
  await addAllNewsReaders(site.app, readers(1));
  const editionId = await sent();
  const { id } = await site.app.db.selectFrom("deliveries").select("id").executeTakeFirstOrThrow();
  const path = returnPath(
    { secret: site.app.options.secret, bounceAddress: "bounce@news.example.com" },
    { kind: "delivery", editionId, id },
    "r0@example.org",
  );
  await erase(site.app, (await findByAddress(site.app.db, "r0@example.org"))!.id, "test");
  for (const name of ["ses", "mailgun", "sparkpost"] as const) {
    const about = { address: "r0@example.org", at: site.clock.at, returnPath: path };
    const { recorded, unchanged } = (await post(name, services[name].bounce(about))).json<Record<string, number>>();
    expect(recorded! + unchanged!).toBe(1);
  }
  expect(await outcomes()).toMatchObject([{ edition_id: editionId, delivery_id: id, kind: "hard", address: null }]);
});

test("a notice that bounces says nothing about the last edition", async () => {
  await addAllNewsReaders(site.app, readers(1));
  await sent();
  const { id: reader } = (await findByAddress(site.app.db, "r0@example.org"))!;
  const at = site.clock.at;
  const notice = await site.app.db
    .insertInto("notices")
    .values({
      kind: "welcome",
      subscriber_id: reader,
      address: "r0@example.org",
      state: "sent",
      due_at: null,
      created_at: at,
      expires_at: at,
      payload: "{}",
    } as never)
    .returning("id")
    .executeTakeFirstOrThrow();
  const messageId = noticeMessageId(site.app.options.secret, { id: notice.id, createdAt: at }, "example.com");
  const answer = await post("sendgrid", services.sendgrid.bounce({ address: "r0@example.org", at, messageId }));
  expect(answer.json()).toEqual({ ...nothing, unchanged: 1 });
  expect(await outcomes()).toEqual([]);
});

test("only messages of the topic are accepted, with a certificate from Amazon's host in its region", async () => {
  const at = site.clock.at;
  const bounce = calls.sesBounce({ address: "r0@example.org", at });
  const check = async (call: Call): Promise<unknown> => {
    const answer = await post("ses", call);
    expect(answer.statusCode).toBe(401);
    return answer.json<{ details: { check: string } }>().details.check;
  };
  const ofTopic = (TopicArn: string) => calls.snsCall(bounce, at, { signed: { TopicArn } });
  expect(await check(ofTopic("arn:aws:sns:eu-central-1:123456789012:others"))).toBe("topic");
  expect(await check(ofTopic(calls.topic.replace("123456789012", "210987654321")))).toBe("topic");
  const path = "/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem";
  const wrong = [
    `https://sns.us-east-1.amazonaws.com${path}`,
    `http://sns.eu-central-1.amazonaws.com${path}`,
    `https://sns.eu-central-1.amazonaws.com.evil.example${path}`,
    `https://sns.eu-central-1.amazonaws.com@evil.example${path}`,
    `https://user@sns.eu-central-1.amazonaws.com${path}`,
    `https://sns.eu-central-1.amazonaws.com:8443${path}`,
    `https://sns.eu-central-1.amazonaws.com${path}?x=1`,
    "https://sns.eu-central-1.amazonaws.com/topic.pem",
    `https://evil.example/sns.eu-central-1.amazonaws.com${path}`,
    `https://127.0.0.1${path}`,
    "no address",
  ];
  for (const SigningCertURL of wrong)
    expect(await check(calls.snsCall(bounce, at, { replaced: { SigningCertURL } }))).toBe("certificate");
  expect(asked).toEqual([]);
});

test("a certificate that has expired or is another's is refused, and a genuine one is fetched once", async () => {
  const at = site.clock.at;
  const bounce = calls.sesBounce({ address: "r0@example.org", at });
  const from = async (name: string, certificate: string | null): Promise<number> => {
    const url = `https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-${name}.pem`;
    if (certificate !== null) served.set(url, certificate);
    return (await post("ses", calls.snsCall(bounce, at, { replaced: { SigningCertURL: url } }))).statusCode;
  };
  expect(await from("a", snsCertificates.expired)).toBe(401);
  expect(await from("b", snsCertificates.otherName)).toBe(401);
  expect(await from("c", "no certificate")).toBe(401);
  // Amazon sends the message again.
  expect(await from("d", null)).toBe(503);
  asked.length = 0;
  expect(await Promise.all([from("e", snsCertificates.genuine), from("e", snsCertificates.genuine)])).toEqual([
    200, 200,
  ]);
  expect(await from("e", snsCertificates.genuine)).toBe(200);
  expect(asked).toHaveLength(1);
});

test("the subscription of the topic is confirmed at Amazon's host, and no other", async () => {
  const at = site.clock.at;
  const { SubscribeURL } = calls.confirmation();
  served.set(SubscribeURL!, "<ConfirmSubscriptionResponse/>");
  const confirm = (signed: object) => post("ses", calls.snsCall({}, at, { signed: { Subject: undefined, ...signed } }));
  expect((await confirm(calls.confirmation())).json()).toEqual(nothing);
  expect(asked).toContain(SubscribeURL);
  asked.length = 0;
  const others = [
    { ...calls.confirmation(), SubscribeURL: SubscribeURL!.replace("sns.eu-central-1.amazonaws.com", "evil.example") },
    { ...calls.confirmation(), SubscribeURL: SubscribeURL!.replace("https", "http") },
    { ...calls.confirmation(), SubscribeURL: SubscribeURL!.replace(":bounces", ":others") },
    { ...calls.confirmation(), TopicArn: "arn:aws:sns:eu-central-1:123456789012:others" },
  ];
  for (const other of others) expect((await confirm(other)).statusCode).toBe(401);
  expect((await confirm({ ...calls.confirmation(), Type: "UnsubscribeConfirmation" })).json()).toEqual(nothing);
  expect(asked).toEqual([]);
});

test("a notification in words has no effect", async () => {
  const Message = "Successfully validated SNS topic for Amazon SES event publishing.";
  expect((await post("ses", calls.snsCall({}, site.clock.at, { signed: { Message } }))).json()).toEqual(nothing);
});

test.each(emailServices)("%s: a body that is not JSON, too large or full of values is refused", async (name) => {
  const genuine = (body: string): Call =>
    name === "sendgrid" ? calls.sendGridCall(body, site.clock.at) : calls.passwordCall(body);
  for (const body of ["", "{", "<xml/>", "[1,2", "\u0000"])
    expect((await post(name, genuine(body))).json()).toMatchObject({ status: 400, code: "body_not_json" });
  const { headers } = genuine("");
  const notText = await site.inject({
    method: "POST",
    url: `/api/v1/hooks/${name}`,
    headers,
    payload: Buffer.from([255]),
  });
  expect([400, 401]).toContain(notText.statusCode);
  expect((await post(name, genuine(`"${"x".repeat(5_000_001)}"`))).statusCode).toBe(413);
  expect((await post(name, genuine(`[${"1,".repeat(100_001)}1]`))).statusCode).toBe(413);
  expect(site.errors).toEqual([]);
});

test("if the database fails, the service is told to try again", async () => {
  const call = services.postmark.bounce({ address: "r0@example.org", at: site.clock.at });
  await sql`alter table subscribers rename to gone`.execute(site.app.db);
  expect((await post("postmark", call)).statusCode).toBe(500);
  await sql`alter table gone rename to subscribers`.execute(site.app.db);
  expect((await post("postmark", call)).statusCode).toBe(200);
});

test("many wrong calls from one network are held back, and genuine ones from it are not", async () => {
  const from = (call: Call) =>
    site.inject({
      method: "POST",
      url: "/api/v1/hooks/postmark",
      headers: call.headers,
      payload: call.body,
      remoteAddress: "192.0.2.77",
    });
  for (let i = 0; i < 30; i++) expect((await from(calls.passwordCall([], "wrong"))).statusCode).toBe(401);
  const held = await from(calls.passwordCall([], "wrong"));
  expect([held.statusCode, held.headers["retry-after"]]).toEqual([429, expect.any(String)]);
  expect((await from(calls.passwordCall([]))).statusCode).toBe(200);
});

test("a webhook that is not set up does not exist", async () => {
  const bare = await openWeb();
  for (const name of emailServices) {
    const answer = await bare.inject({ method: "POST", url: `/api/v1/hooks/${name}`, payload: {} });
    expect([name, answer.statusCode]).toEqual([name, 404]);
  }
  expect((await bare.inject({ method: "POST", url: "/api/v1/hooks/other", payload: {} })).statusCode).toBe(404);
  await bare.close();
});

test("a document is fetched without redirects, up to a size and for a limited time", async () => {
  const http = createServer((request, response) => {
    if (request.url === "/moved") response.writeHead(302, { location: "/found" }).end();
    else if (request.url === "/large") response.end(Buffer.alloc(200_000));
    else if (request.url === "/found") response.end("found");
    // Any other address never answers.
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as { port: number };
  const get = (path: string, allowPrivate = true) =>
    fetchDocument({ allowPrivate, userAgent: "test", timeoutMs: 300 }, `http://127.0.0.1:${port}${path}`);
  expect(Buffer.from(await get("/found")).toString()).toBe("found");
  await expect(get("/moved")).rejects.toThrow("302");
  await expect(get("/large")).rejects.toThrow();
  await expect(get("/slow")).rejects.toThrow("source_timeout");
  await expect(get("/found", false)).rejects.toThrow("private address");
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});
