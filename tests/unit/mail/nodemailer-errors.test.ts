import { expect, test } from "vitest";
import { failureOfError } from "../../../src/mail/nodemailer-errors.ts";
import { judge } from "../../../src/mail/verdict.ts";

const e = (message: string, more: object): Error => Object.assign(new Error(message), more);

const relay = { kind: "deferred", scope: "relay" };
const unknown = { kind: "unknown" };

test.each([
  // Nodemailer, with the relay's reply.
  [
    e("all recipients were rejected", {
      code: "EENVELOPE",
      command: "RCPT TO",
      response: "550 5.1.1 gone",
      responseCode: 550,
    }),
    { kind: "rejected", scope: "address", reply: "550 5.1.1 gone" },
  ],
  [
    e("no", { code: "EENVELOPE", command: "MAIL FROM", response: "550 5.7.1 not you" }),
    { kind: "rejected", scope: "policy" },
  ],
  [e("no", { code: "EMESSAGE", command: "DATA", response: "554 5.7.1 spam" }), { kind: "rejected", scope: "policy" }],
  [e("later", { code: "EMESSAGE", command: "DATA", responseCode: 451 }), { kind: "deferred", scope: "address" }],
  [e("Invalid login", { code: "EAUTH", command: "AUTH PLAIN", response: "535 5.7.8 wrong" }), relay],
  [e("closing", { code: "ECONNECTION", command: "CONN", response: "421 4.3.2 bye" }), relay],
  [e("Unexpected Response", { code: "EPROTOCOL", command: "CONN", response: "250 fine" }), unknown],
  // Without a reply.
  [e("Connection closed unexpectedly", { code: "ECONNECTION", command: "CONN" }), unknown],
  [e("Timeout", { code: "ETIMEDOUT", timeoutType: "SOCKET_TIMEOUT", command: "CONN" }), unknown],
  [e("Greeting never received", { code: "ETIMEDOUT", timeoutType: "GREETING_TIMEOUT", command: "CONN" }), relay],
  [e("read ECONNRESET", { code: "ESOCKET", originalCode: "ECONNRESET", syscall: "read", command: "CONN" }), unknown],
  [e("connect ECONNREFUSED", { code: "ESOCKET", syscall: "connect", command: "CONN" }), relay],
  [e("getaddrinfo ENOTFOUND", { code: "EDNS", syscall: "getaddrinfo" }), relay],
  [e("Invalid recipient", { code: "EENVELOPE", command: "API" }), { kind: "rejected", scope: "message" }],
  [e("The operation was aborted", { name: "AbortError", code: "EABORT" }), unknown],
  [e("known to be early", { bodyEnded: false }), relay],
  // sendmail.
  [e("spawn /usr/sbin/sendmail ENOENT", { code: "ENOENT", syscall: "spawn /usr/sbin/sendmail" }), relay],
  [e("Sendmail exited with code 67", { code: "ESENDMAIL" }), { kind: "rejected", scope: "address" }],
  [e("Sendmail exited with code 65", { code: "ESENDMAIL" }), { kind: "rejected", scope: "message" }],
  [e("Sendmail exited with code 75", { code: "ESENDMAIL" }), unknown],
  [e("Sendmail exited with code 1", { code: "ESENDMAIL" }), unknown],
  [e("Sendmail exited with code 78", { code: "ESENDMAIL" }), relay],
  [e("Sendmail was terminated by SIGKILL", { code: "ESENDMAIL" }), unknown],
  // Amazon SES, and others with a status.
  [
    e("Maximum sending rate exceeded.", { name: "TooManyRequestsException", $metadata: { httpStatusCode: 429 } }),
    { ...relay, reply: expect.stringContaining("Maximum sending rate exceeded") },
  ],
  [e("Daily message quota exceeded", { name: "LimitExceededException", $metadata: { httpStatusCode: 400 } }), relay],
  [
    e("Email address is not verified.", { name: "MessageRejected", $metadata: { httpStatusCode: 400 } }),
    { kind: "rejected", scope: "policy" },
  ],
  [e("Sending paused", { name: "SendingPausedException", $metadata: { httpStatusCode: 400 } }), relay],
  [
    e("The security token is invalid", { name: "UnrecognizedClientException", $metadata: { httpStatusCode: 403 } }),
    relay,
  ],
  [
    e("bad", { name: "BadRequestException", $metadata: { httpStatusCode: 400 } }),
    { kind: "rejected", scope: "message" },
  ],
  [e("Internal failure", { name: "InternalFailure", $metadata: { httpStatusCode: 500 } }), unknown],
  [e("Forbidden", { status: 401 }), relay],
  [e("Bad gateway", { statusCode: 502 }), unknown],
  // Anything else.
  [new Error("what"), unknown],
  ["a text", unknown],
  [undefined, unknown],
  [{ message: 7, code: {}, status: "no", response: 550 }, unknown],
])("%o gets the verdict %o", (error, verdict) => {
  expect(judge(failureOfError(error))).toMatchObject(verdict);
});

test("no reply names more than one line, however long it is", () => {
  const verdict = judge(
    failureOfError(e(`a\r\nb${"x".repeat(5_000)}`, { name: "MessageRejected", $metadata: { httpStatusCode: 400 } })),
  );
  expect(verdict.reply).not.toMatch(/[\r\n]/);
  expect(verdict.reply!.length).toBeLessThanOrEqual(500);
});
