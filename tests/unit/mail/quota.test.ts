import { expect, test } from "vitest";
import { quotaPauseMs, relayQuota } from "../../../src/mail/quota.ts";
import { judge, parseReply } from "../../../src/mail/verdict.ts";

const minute = 60_000;

/** The sources are in `src/mail/quota.ts`. */
test.each([
  ["mail", "454 Throttling failure: Maximum sending rate exceeded", "rate", 0],
  ["final", "454 Throttling failure: Maximum sending rate exceeded.", "rate", 0],
  ["mail", "454 Throttling failure: Daily message quota exceeded", "day", 10 * minute],
  ["auth", "451 Authentication failed: Maximum credits exceeded", "account", 60 * minute],
  [
    "final",
    "450 Your account reached its email quota limit. Contact support to increase it. #MS42204",
    "account",
    60 * minute,
  ],
  ["mail", "550 5.4.5 Daily user sending quota exceeded. o65sm25351206pga.71 - gsmtp", "day", 60 * minute],
  [
    "final",
    "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\r\n550-5.4.5 sending limits go to\r\n" +
      "550 5.4.5  https://support.google.com/a/answer/166852 a1-20020a17 - gsmtp",
    "day",
    60 * minute,
  ],
  ["mail", "550 5.4.5 Daily SMTP relay sending limit exceeded for customer. gsmtp", "day", 60 * minute],
  ["final", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; failed", "day", 60 * minute],
  [
    "data",
    "421 Domain example.org is not allowed to send: recipient limit exceeded, try again after Sun, 05 Oct 2025 19:22:44 UTC",
    "hour",
    22 * minute + 44_000,
  ],
] as const)("%s: %s is the relay's quota: %s", (stage, reply, kind, pauseMs) => {
  const parsed = parseReply(reply);
  const quota = relayQuota(parsed);
  expect(quota).toMatchObject({ kind });
  expect(quotaPauseMs(quota!, new Date("2025-10-05T19:00:00Z"))).toBe(pauseMs);
  const failure = { stage, bodyEnded: stage === "final", error: null, ...parsed };
  expect(judge(failure)).toMatchObject({ kind: "deferred", scope: "relay", quota: { kind } });
});

test.each([
  // What receivers say, passed on by a relay that delivers while it is asked.
  "452 4.2.2 The email account that you tried to reach is over quota",
  "552 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
  "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionQuotaExceeded",
  "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
  "421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address",
  "550 5.2.1 The user has exceeded the daily sending quota of example.com",
  "451 4.7.1 Daily message quota exceeded for this recipient",
  "450 4.7.3 Organization queue quota exceeded",
  "452 4.5.3 Too many recipients: Maximum credits exceeded",
  "550 said: 454 Throttling failure: Daily message quota exceeded",
  "550 Throttling failure: Daily message quota exceeded",
  "454 4.7.0 Temporary authentication failure",
  "535 5.7.8 Authentication failed",
  "421 Domain example.org is not allowed to send to you",
])("%s is not the relay's quota", (reply) => {
  expect(relayQuota(parseReply(reply))).toBe(null);
});

test("a time in the relay's reply is believed within a minute and a day", () => {
  const quota = (until: string) => ({ kind: "hour", until: new Date(until), retryMs: 1 }) as const;
  const now = new Date("2025-10-05T19:00:00Z");
  expect(quotaPauseMs(quota("2025-10-05T18:00:00Z"), now)).toBe(minute);
  expect(quotaPauseMs(quota("2026-10-05T18:00:00Z"), now)).toBe(24 * 60 * minute);
  expect(relayQuota({ code: 421, text: "Domain a.example is not allowed to send: recipient limit exceeded" })).toEqual({
    kind: "hour",
    until: null,
    retryMs: 60 * minute,
  });
});
