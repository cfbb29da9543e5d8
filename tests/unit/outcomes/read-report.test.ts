import fc from "fast-check";
import { expect, test } from "vitest";
import { readReport, type ReadReport } from "../../../src/outcomes/read-report.ts";

const dsn = (recipient: string[], type = "message/delivery-status", encode = (text: string) => text): string =>
  [
    "From: MAILER-DAEMON@mx.example.org (Mail Delivery System)",
    "Subject: Undelivered Mail Returned to Sender",
    "Auto-Submitted: auto-replied",
    "Content-Type: multipart/report; report-type=delivery-status;",
    '\tboundary="B1/mx"',
    "",
    "--B1/mx",
    "Content-Type: text/plain; charset=us-ascii",
    "",
    "I'm sorry to have to inform you that your message could not be delivered.",
    "--B1/mx",
    `Content-Type: ${type}`,
    ...(encode("x") === "x" ? [] : ["Content-Transfer-Encoding: base64"]),
    "",
    encode(["Reporting-MTA: dns; mx.example.org", "Arrival-Date: Tue, 24 Nov 2026", "", ...recipient, ""].join("\r\n")),
    "--B1/mx",
    "Content-Type: message/rfc822",
    "",
    "Subject: 550 5.1.1 in the original",
    "",
    "--B1/mx--",
    "",
  ].join("\r\n");

const feedback = (type: string): string =>
  [
    "From: feedback@isp.example",
    "Content-Type: multipart/report; report-type=feedback-report; boundary=arf",
    "",
    "--arf",
    "Content-Type: text/plain",
    "",
    "This is an email abuse report.",
    "--arf",
    "Content-Type: message/feedback-report",
    "",
    `Feedback-Type: ${type}`,
    "User-Agent: SomeGenerator/1.0",
    "Version: 1",
    "",
    "--arf--",
  ].join("\r\n");

const plain = (from: string, subject: string, body: string, more: string[] = []): string =>
  [`From: ${from}`, `Subject: ${subject}`, ...more, "", body].join("\r\n");

const postfix = [
  "Final-Recipient: rfc822; gone@example.org",
  "Action: failed",
  "Status: 5.1.1",
  "Diagnostic-Code: smtp; 550 5.1.1 <gone@example.org>: Recipient address rejected:",
  "    User unknown in virtual mailbox table",
];
const userUnknown = "550 5.1.1 <gone@example.org>: Recipient address rejected: User unknown in virtual mailbox table";
const global = "message/global-delivery-status";
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const bounced = (code: string | null, text: string | null, guess = false): ReadReport => ({
  outcome: "bounced",
  code,
  text,
  guess,
});

const corpus: [string, string, ReadReport][] = [
  ["Postfix", dsn(postfix), bounced("550 5.1.1", userUnknown)],
  ["RFC 6533, in base64", dsn(postfix, global, base64), bounced("550 5.1.1", userUnknown)],
  [
    "a status that says nothing",
    dsn(["Action: Failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 550 5.7.1 Blocked"]),
    bounced("550 5.7.1", "550 5.7.1 Blocked"),
  ],
  [
    "expired at Postfix",
    dsn(["Action: failed", "Status: 4.4.1", "Diagnostic-Code: X-Postfix; connect to mx: Connection timed out"]),
    bounced("4.4.1", "connect to mx: Connection timed out"),
  ],
  ["without a diagnosis", dsn(["Action: failed", "Status: 5.2.2 (mailbox full)"]), bounced("5.2.2", null)],
  [
    "the second recipient failed",
    dsn(["Action: relayed", "Status: 2.0.0", "", ...postfix]),
    bounced("550 5.1.1", userUnknown),
  ],
  ["delayed", dsn(["Action: delayed", "Status: 4.4.1"]), { outcome: null, reason: "delayed" }],
  ["delivered", dsn(["Action: delivered", "Status: 2.0.0"]), { outcome: null, reason: "delivered" }],
  ["no recipient", dsn(["X-Nothing: here"]), { outcome: null, reason: "unreadable" }],
  ["an action with a comment", dsn(["Action: Failed (gave up)", "Status: 5.1.1"]), bounced("5.1.1", null)],
  [
    "relayed to a server without reports",
    dsn(["Action: relayed", "Status: 2.1.9"]),
    { outcome: null, reason: "delivered" },
  ],
  ["expanded to a list", dsn(["Action: expanded", "Status: 2.0.0"]), { outcome: null, reason: "delivered" }],
  [
    "a failure beside a delay",
    dsn(["Action: delayed", "Status: 4.2.2", "", "Action: failed", "Status: 5.2.1"]),
    bounced("5.2.1", null),
  ],
  [
    "fields in other orders and cases, with all others of RFC 3464",
    dsn([
      "ORIGINAL-RECIPIENT: rfc822;gone@example.org",
      "final-recipient: RFC822; gone@example.org",
      "STATUS:5.1.1",
      "remote-mta: DNS; mx.example.org (192.0.2.1)",
      "last-attempt-date: Tue, 24 Nov 2026 07:00:00 +0000",
      "final-log-id: 1",
      "diagnostic-code:SMTP;550 5.1.1 gone",
      "will-retry-until: Tue, 24 Nov 2026 07:00:00 +0000",
      "ACTION:failed",
    ]),
    bounced("550 5.1.1", "550 5.1.1 gone"),
  ],
  [
    "Outlook.com and Exchange",
    dsn([
      "Final-recipient: RFC822; gone@example.org",
      "Action: failed",
      "Status: 5.1.10",
      "Diagnostic-code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient gone@example.org not found by SMTP address lookup",
    ]),
    bounced(
      "550 5.1.10",
      "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient gone@example.org not found by SMTP address lookup",
    ),
  ],
  [
    "Exchange, over quota",
    dsn([
      "Final-Recipient: rfc822;full@example.org",
      "Action: failed",
      "Status: 5.2.2",
      "Diagnostic-Code: smtp;554 5.2.2 mailbox full;",
      "\tSTOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded;",
    ]),
    bounced(
      "554 5.2.2",
      "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded;",
    ),
  ],
  [
    "Gmail",
    dsn([
      "Final-Recipient: rfc822; gone@gmail.com",
      "Action: failed",
      "Status: 5.1.1",
      "Remote-MTA: dns; gmail-smtp-in.l.google.com. (192.0.2.1, the server for the domain gmail.com.)",
      "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.",
      " 550 5.1.1  https://support.google.com/mail/?p=NoSuchUser 4-20020a si1 - gsmtp",
    ]),
    bounced(
      "550 5.1.1",
      "550-5.1.1 The email account that you tried to reach does not exist. 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser 4-20020a si1 - gsmtp",
    ),
  ],
  [
    "Notes",
    dsn([
      "Final-Recipient: rfc822;gone@example.org",
      "Action: failed",
      "Status: 5.1.1",
      "Diagnostic-Code: X-Notes; User gone (gone@example.org) not listed in Domino Directory",
    ]),
    bounced("5.1.1", "User gone (gone@example.org) not listed in Domino Directory"),
  ],
  [
    "Sendmail",
    dsn([
      "Final-Recipient: RFC822; gone@example.org",
      "X-Actual-Recipient: RFC822; gone@mx.example.org",
      "Action: failed",
      "Status: 5.1.1",
      "Remote-MTA: DNS; mx.example.org",
      "Diagnostic-Code: SMTP; 550 5.1.1 <gone@example.org>... User unknown",
    ]),
    bounced("550 5.1.1", "550 5.1.1 <gone@example.org>... User unknown"),
  ],
  [
    "a bare reply of the server, whose status is filled in",
    dsn(["Action: failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 550 No such user"]),
    bounced("550", "550 No such user"),
  ],
  [
    "an expiry, whose status is filled in",
    dsn(["Action: failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 451 4.2.1 Busy: retry timeout exceeded"]),
    bounced("451 4.2.1", "451 4.2.1 Busy: retry timeout exceeded"),
  ],
  ["nothing but a status that says nothing", dsn(["Action: failed", "Status: 5.0.0"]), bounced("5.0.0", null)],
  [
    "a report inside a message with more parts",
    [
      "Content-Type: multipart/mixed; boundary=outer",
      "",
      "--outer",
      dsn(postfix),
      "--outer",
      "Content-Type: text/plain",
      "",
      "This email was checked for viruses.",
      "--outer--",
    ].join("\r\n"),
    bounced("550 5.1.1", userUnknown),
  ],
  [
    "a bounce that somebody forwards",
    ["From: ada@example.org", "Content-Type: message/rfc822", "", dsn(postfix)].join("\r\n"),
    { outcome: null, reason: "unreadable" },
  ],
  ["abuse", feedback("abuse"), { outcome: "complained" }],
  ["fraud", feedback("fraud"), { outcome: "complained" }],
  ["a virus", feedback("virus"), { outcome: null, reason: "other_feedback" }],
  ["other feedback", feedback("other"), { outcome: null, reason: "other_feedback" }],
  ["an opt-out", feedback("opt-out"), { outcome: "complained" }],
  [
    "Outlook.com's complaint",
    plain("<staff@hotmail.com>", "complaint about message from 192.0.2.1", "See the attached message."),
    { outcome: "complained" },
  ],
  [
    "somebody who writes about complaints",
    plain("ada@example.org", "complaint about message from 192.0.2.1", "Hello"),
    { outcome: null, reason: "unreadable" },
  ],
  ["not spam", feedback("not-spam"), { outcome: null, reason: "other_feedback" }],
  ["an authentication failure", feedback("auth-failure"), { outcome: null, reason: "other_feedback" }],
  [
    "qmail",
    plain(
      "MAILER-DAEMON@mx.example.org",
      "failure notice",
      "Hi. This is the qmail-send program at mx.example.org.\r\n<gone@example.org>:\r\nRemote host said: 550 5.1.1 No such user\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n5.7.1",
    ),
    bounced("550 5.1.1", "Remote host said: 550 5.1.1 No such user", true),
  ],
  [
    "qmail, with its own words",
    plain(
      "MAILER-DAEMON@mx.example.org",
      "failure notice",
      "Hi. This is the qmail-send program at mx.example.org.\r\nI'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n<gone@example.org>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n",
    ),
    bounced("5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)", true),
  ],
  [
    "qmail, with a bare reply",
    plain(
      "MAILER-DAEMON@mx.example.org",
      "failure notice",
      "Hi. This is the qmail-send program at mx.example.org.\r\n<gone@example.org>:\r\n192.0.2.1 does not like recipient.\r\nRemote host said: 550 No such user\r\nGiving up on 192.0.2.1.\r\n",
    ),
    bounced("550", "Remote host said: 550 No such user", true),
  ],
  [
    "Yahoo",
    plain(
      "MAILER-DAEMON@yahoo.com",
      "Failure Notice",
      "Sorry, we were unable to deliver your message to the following address.\r\n\r\n<gone@yahoo.com>:\r\n554: 5.1.1 delivery error: dd This user doesn't have a yahoo.com account\r\n\r\n--- Below this line is a copy of the message.\r\n",
    ),
    bounced("554 5.1.1", "554: 5.1.1 delivery error: dd This user doesn't have a yahoo.com account", true),
  ],
  [
    "Gmail as it was",
    plain(
      "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
      "Delivery Status Notification (Failure)",
      "Delivery to the following recipient failed permanently:\r\n\r\n     gone@example.org\r\n\r\nThe error that the other server returned was:\r\n550 5.1.1 <gone@example.org>: User unknown\r\n\r\n----- Original message -----\r\n\r\n5.7.1",
      ["X-Failed-Recipients: gone@example.org"],
    ),
    bounced("550 5.1.1", "550 5.1.1 <gone@example.org>: User unknown", true),
  ],
  [
    "Gmail as it was, still trying",
    plain(
      "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
      "Delivery Status Notification (Delay)",
      "This is an automatically generated Delivery Status Notification\r\n\r\nTHIS IS A WARNING MESSAGE ONLY.",
      ["X-Failed-Recipients: gone@example.org"],
    ),
    { outcome: null, reason: "delayed" },
  ],
  [
    "Exchange in HTML only",
    [
      "From: Microsoft Outlook <postmaster@example.org>",
      "Subject: Undeliverable: News",
      "Content-Type: text/html; charset=utf-8",
      "",
      "<html><body><p>Your message couldn't be delivered.</p><p>Remote Server returned '<b>550 5.1.1</b> &lt;gone@example.org&gt; not found'</p></body></html>",
    ].join("\r\n"),
    bounced("550 5.1.1", "Remote Server returned ' 550 5.1.1 <gone@example.org> not found'", true),
  ],
  [
    "GMX, in German and with encoded words",
    plain(
      "=?UTF-8?Q?Mail_Delivery_System?= <mailer-daemon@gmx.example>",
      "=?UTF-8?Q?Nachricht_konnte_nicht_zugestellt_wer?= =?utf-8?B?ZGVu?=",
      "SMTP error from remote server for RCPT TO command, host: mx.example.org (192.0.2.1) reason: 550 Benutzer unbekannt",
    ),
    bounced(
      "550",
      "SMTP error from remote server for RCPT TO command, host: mx.example.org (192.0.2.1) reason: 550 Benutzer unbekannt",
      true,
    ),
  ],
  [
    "a Korean provider, in EUC-KR",
    plain("Postmaster <postmaster@mail.example>", "=?euc-kr?B?uN7AzyDA/LzbIL3HxtA=?=", "550 5.1.1 User unknown"),
    bounced("550 5.1.1", "550 5.1.1 User unknown", true),
  ],
  [
    "a receipt",
    [
      "From: ada@example.org",
      "Subject: Read: News",
      "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
      "",
      "--b",
      "Content-Type: message/disposition-notification",
      "",
      "Final-Recipient: rfc822;ada@example.org",
      "Disposition: manual-action/MDN-sent-manually; displayed",
      "",
      "--b--",
    ].join("\r\n"),
    { outcome: null, reason: "auto_reply" },
  ],
  [
    "a ticket system",
    plain("help@example.org", "[#123] We have received your email", "Thanks", ["Auto-Submitted: auto-generated"]),
    { outcome: null, reason: "auto_reply" },
  ],
  [
    "Exim without a code",
    plain(
      "Mail Delivery System <Mailer-Daemon@mx.example.org>",
      "Mail delivery failed: returning message to sender",
      "This message was created automatically by mail delivery software.\r\n\r\n  gone@example.org\r\n    Unrouteable address\r\n",
      ["X-Failed-Recipients: gone@example.org"],
    ),
    bounced(null, null, true),
  ],
  [
    "Exim still trying",
    plain(
      "Mailer-Daemon@mx.example.org",
      "Warning: message delayed 24 hours",
      "This message was created automatically by mail delivery software.\r\nNo action is required on your part.",
    ),
    { outcome: null, reason: "delayed" },
  ],
  [
    "an absence",
    plain("ada@example.org", "Out of office: News", "I am away. 550 5.1.1", ["Auto-Submitted: auto-replied"]),
    { outcome: null, reason: "auto_reply" },
  ],
  [
    "an answer",
    plain("ada@example.org", "Re: News", "550 5.1.1, said my server."),
    { outcome: null, reason: "unreadable" },
  ],
  ["nothing", "", { outcome: null, reason: "unreadable" }],
];

test.each(corpus)("%s", (_name, raw, expected) => {
  expect(readReport(Buffer.from(raw))).toEqual(expected);
  expect(readReport(Buffer.from(raw.replaceAll("\r\n", "\n")))).toEqual(expected);
});

test("10,000 mutated messages are read without a crash", () => {
  const piece = fc.oneof(
    fc.constantFrom("\r\n", "\r\n\r\n", "--B1/mx", "=", ":", ";", "\0", "Action: failed\r\n"),
    fc.string(),
  );
  const mutated = fc
    .tuple(
      fc.constantFrom(...corpus.map(([, raw]) => raw)),
      fc.array(fc.tuple(fc.nat(), fc.nat(200), piece), { maxLength: 6 }),
    )
    .map(([raw, edits]) =>
      edits.reduce((text, [at, cut, put]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + put + text.slice(place + cut);
      }, raw),
    );
  fc.assert(
    fc.property(
      fc.oneof(
        { weight: 9, arbitrary: mutated.map((text) => Buffer.from(text)) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)) },
      ),
      (raw) => {
        expect(["bounced", "complained", null]).toContain(readReport(raw).outcome);
      },
    ),
    { numRuns: 10_000 },
  );
});

test("a large message of nothing but parts or fields is read in a moment", () => {
  const parts = `Content-Type: multipart/mixed; boundary=a\n\n${"--a\nContent-Type: multipart/mixed; boundary=a\n\n".repeat(20_000)}`;
  const fields = "X: y\n z\n".repeat(100_000);
  const began = performance.now();
  for (const text of [parts, fields, "\n".repeat(1_000_000), "=\n".repeat(500_000), "<".repeat(1_000_000)]) {
    readReport(Buffer.from(text));
    readReport(Buffer.from(plain("mailer-daemon@x.example", "failure", text)));
    readReport(Buffer.from(plain("mailer-daemon@x.example", "failure", text, ["Content-Type: text/html"])));
    readReport(Buffer.from(plain("x", `=?utf-8?q?${text}?= =?x`, text)));
  }
  expect(performance.now() - began).toBeLessThan(5_000);
});
