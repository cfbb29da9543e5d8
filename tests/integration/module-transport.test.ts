import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { loadConfig } from "../../src/config/load.ts";
import { openCarrier } from "../../src/engines.ts";
import { openModuleCarrier } from "../../src/mail/module-carrier.ts";
import { smtpTransport } from "../../src/mail/nodemailer-transport.ts";
import { limited } from "../../src/mail/smtp.ts";
import { closeSmtp, mail, sinkOf } from "../support/smtp.ts";

let folder: string;
let serial = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dayletter-module-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(closeSmtp);

function moduleOf(source: string): string {
  const name = `./transport-${(serial += 1)}.mjs`;
  writeFileSync(join(folder, name), source);
  return name;
}

const transport = (send: string, more = ""): string =>
  `{ name: "test", version: "1", send(mail, done) { ${send} } ${more} }`;

test.each([
  ["a transport", transport("done(null, { response: '250 fine' })")],
  ["a function that returns one", `() => (${transport("done(null, { response: '250 fine' })")})`],
  ["an async function", `async () => (${transport("done(null, { response: '250 fine' })")})`],
  ["options", "{ jsonTransport: true }"],
])("a module may export %s", async (_, exported) => {
  const carrier = await openModuleCarrier(moduleOf(`export default ${exported};`), folder);
  expect(await carrier.check()).toMatchObject({ ok: true, key: "transport.ready" });
  expect(await carrier.deliver(mail())).toMatchObject({ verdict: { kind: "sent" } });
  await carrier.close();
});

test.each([
  ["nothing", "export const other = 1;", "transport_not_exported"],
  ["an empty object", "export default {};", "transport_not_exported"],
  ["a text", "export default 'smtp://localhost';", "transport_not_exported"],
  ["a function that returns nothing", "export default () => undefined;", "transport_not_exported"],
  ["what cannot be parsed", "export default {", "transport_not_loaded"],
  ["a function that throws", "export default () => { throw new Error('no key'); };", "transport_not_loaded"],
])("a module that exports %s stops the start", async (_, source, code) => {
  await expect(openModuleCarrier(moduleOf(source), folder)).rejects.toThrow(expect.objectContaining({ code }));
});

test.each(["./missing.mjs", "/nowhere/at/all.mjs", "no-such-package-anywhere"])("%s cannot be loaded", async (name) => {
  await expect(openModuleCarrier(name, folder)).rejects.toThrow(
    expect.objectContaining({ code: "transport_not_loaded", details: expect.objectContaining({ module: name }) }),
  );
});

test("a module and a relay at once are refused", () => {
  const given = { MAIL_TRANSPORT: "./x.mjs", SMTP_URL: "smtp://127.0.0.1", SECRET: "x".repeat(32) };
  expect(() => loadConfig(given)).toThrow(
    expect.objectContaining({
      problems: expect.arrayContaining([
        expect.objectContaining({ name: "MAIL_TRANSPORT", code: "transport_given_twice" }),
      ]),
    }),
  );
});

test("a transport whose check fails says why", async () => {
  const failing = transport("done(null, {})", ", verify: async () => { throw new Error('wrong key'); }");
  const name = moduleOf(`export default ${failing};`);
  const config = loadConfig({
    MAIL_TRANSPORT: join(folder, name),
    PUBLIC_URL: "https://news.example.com",
    MAIL_FROM: "a@news.example.com",
    POSTAL_ADDRESS: "Street 1",
  });
  const carrier = (await openCarrier(config))!;
  expect(config.embedded.mail).toBe(false);
  expect(await carrier.check()).toMatchObject({
    ok: false,
    refusal: { code: "transport_failed", details: { reason: "wrong key" } },
  });
});

describe("a transport that misbehaves", () => {
  const verdictOf = async (send: string, timeoutMs = 5_000): Promise<unknown> => {
    const carrier = await openModuleCarrier(moduleOf(`export default ${transport(send)};`), folder, timeoutMs);
    return (await carrier.deliver(mail())).verdict;
  };

  test.each([
    ["never answers", "", { kind: "unknown", code: "timeout" }],
    ["throws", "throw new Error('oops')", { kind: "unknown" }],
    [
      "answers twice",
      "done(null, { response: '250 one' }); done(new Error('two'))",
      { kind: "sent", reply: "250 one" },
    ],
    ["answers with nothing", "done(null)", { kind: "sent" }],
    ["fails with a text", "done('no')", { kind: "unknown" }],
    ["says that it has not sent", "done(Object.assign(new Error('full'), { bodyEnded: false }))", { kind: "deferred" }],
  ])("and %s", async (_, send, expected) => {
    expect(await verdictOf(send, 200)).toMatchObject(expected);
  });

  test("is not waited for when the service stops, and its emails are unknown", async () => {
    const carrier = await openModuleCarrier(moduleOf(`export default ${transport("")};`), folder);
    const way = limited({ clock: systemClock, log: silentLog }, carrier, { connections: 2, rate: null });
    await way.reserve(1);
    const sending = way.send(mail());
    await way.close(50);
    expect(await sending).toMatchObject({ kind: "unknown", code: "service_stopping" });
  });
});

describe("our connections as a Nodemailer transport", () => {
  const options = (port: number) => ({
    host: "127.0.0.1",
    port,
    secure: false,
    requireTls: false,
    user: null,
    password: null,
  });

  test("send what Nodemailer composes, to each recipient", async () => {
    const sink = await sinkOf();
    const mailer = createTransport(smtpTransport(options(sink.port)));
    expect(await mailer.verify()).toBe(true);
    const info = await mailer.sendMail({
      from: "a@example.org",
      to: ["b@example.com", "c@example.com"],
      subject: "Dots",
      text: ".\n..\n.x",
    });
    expect(info).toMatchObject({
      accepted: ["b@example.com", "c@example.com"],
      rejected: [],
      response: "250 2.0.0 kept",
    });
    expect(sink.messages.map(({ to }) => to)).toEqual(["b@example.com", "c@example.com"]);
    expect(sink.messages[0]!.raw.toString()).toContain("\r\n.\r\n..\r\n.x");
    mailer.close();
  });

  test("fail as Nodemailer's own do", async () => {
    const sink = await sinkOf({ onRcpt: () => "550 5.1.1 no such user" });
    const mailer = createTransport(smtpTransport(options(sink.port)));
    const sending = mailer.sendMail({ from: "a@example.org", to: "b@example.com", text: "x" });
    await expect(sending).rejects.toMatchObject({
      code: "EENVELOPE",
      command: "RCPT TO",
      responseCode: 550,
      response: "550 5.1.1 no such user",
    });
    mailer.close();
  });
});
