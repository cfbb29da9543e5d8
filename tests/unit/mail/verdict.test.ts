import fc from "fast-check";
import { openWording } from "../../../src/texts/catalogue.ts";
import { describe, expect, test } from "vitest";
import { scriptedReplies } from "../../support/replies.ts";
import { relayRefusal } from "../../../src/mail/smtp-carrier.ts";
import { judge, parseReply, verdictText, type SmtpFailure, replyText } from "../../../src/mail/verdict.ts";

type Stage = SmtpFailure["stage"];

const failure = (stage: Stage, reply: string, rest: Partial<SmtpFailure> = {}): SmtpFailure => ({
  stage,
  bodyEnded: stage === "final",
  ...parseReply(reply),
  error: "Something failed",
  ...rest,
});

const replies: [string, Stage, string][] = [
  // RFC 3463 X.1.x and RFC 7504/7505: no such mailbox, no such domain, a bare 550 at RCPT.
  ["rejected address", "rcpt", "550 5.1.1 no such user"],
  ["rejected address", "rcpt", "550 5.1.2 no such host"],
  ["rejected address", "rcpt", "550 5.1.3 bad syntax"],
  ["rejected address", "rcpt", "550 5.1.6 moved"],
  ["rejected address", "rcpt", "556 5.1.10 null MX"],
  ["rejected address", "rcpt", "550 5.7.17 owner has changed"],
  ["rejected address", "rcpt", "550 No such user here"],
  ["rejected address", "final", "550 5.1.1 no such user"],
  ["rejected address", "rcpt", "550-5.1.1 The account does not exist.\r\n550 5.1.1 Learn more at example.com"],
  // Ours: policy, reputation, authentication of the domain, protocol, sender.
  ["rejected policy", "rcpt", "550 5.7.1 relay access denied"],
  ["rejected policy", "final", "550 5.7.26 unauthenticated mail"],
  ["rejected policy", "final", "550 5.7.515 access denied"],
  ["rejected policy", "rcpt", "550 Relaying denied"],
  ["rejected policy", "rcpt", "550 blocked using zen.spamhaus.org"],
  ["rejected policy", "rcpt", "550 5.4.5 daily limit exceeded"],
  ["rejected policy", "rcpt", "554 transaction failed"],
  ["rejected policy", "final", "554 looks like spam"],
  ["rejected policy", "mail", "550 5.1.1 no such sender"],
  ["rejected policy", "mail", "553 5.1.8 sender domain unknown"],
  ["rejected policy", "rcpt", "501 5.5.4 bad arguments"],
  // This mail only, or this mailbox for now: nothing is held against the address.
  ["rejected message", "final", "552 5.3.4 too big"],
  ["rejected message", "mail", "552 5.3.4 too big"],
  ["rejected message", "rcpt", "552 5.2.2 mailbox full"],
  ["rejected message", "rcpt", "550 5.2.1 mailbox disabled"],
  ["rejected message", "final", "554 5.6.0 cannot convert"],
  ["rejected message", "rcpt", "550 5.1.0 address rejected"],
  ["rejected message", "rcpt", "550 5.4.1 access denied"],
  ["rejected message", "final", "550 failed"],
  ["rejected message", "rcpt", "550 4.4.7 contradictory status"],
  // For now.
  ["deferred address", "rcpt", "450 4.2.0 greylisted"],
  ["deferred address", "rcpt", "451 4.7.1 greylisted"],
  ["deferred address", "final", "451 4.7.1 Try again later"],
  ["deferred address", "rcpt", "450 4.2.1 The user you are trying to contact is receiving mail too quickly"],
  ["deferred address", "final", "452 4.2.2 The recipient's inbox has exceeded its quota"],
  ["deferred address", "rcpt", "451 4.4.1 no route"],
  ["deferred address", "final", "452 4.2.2 mailbox full"],
  ["deferred address", "rcpt", "450 try later"],
  ["deferred relay", "rcpt", "421 4.3.2 shutting down"],
  ["deferred relay", "final", "421 Service not available, closing transmission channel"],
  ["deferred relay", "rcpt", "421 4.4.2 connection dropped"],
  ["deferred relay", "connect", "421 4.7.0 too many connections"],
  ["deferred relay", "mail", "421 4.7.28 too fast"],
  ["deferred relay", "rcpt", "454 4.7.1 relay access denied"],
  ["deferred relay", "final", "454 Throttling failure: maximum sending rate exceeded"],
  ["deferred relay", "mail", "451 4.3.0 try later"],
  ["deferred relay", "rcpt", "452 4.3.1 out of storage"],
  ["deferred relay", "connect", "554 5.7.1 no access"],
  ["deferred relay", "tls", "502 not implemented"],
  ["deferred relay", "auth", "454 4.7.0 temporary failure"],
  ["deferred relay", "auth", "535 5.7.8 wrong password"],
  ["deferred relay", "mail", "530 5.7.0 authentication required"],
  // The receiving provider's rate, after it was named.
  ["deferred provider", "rcpt", "421 4.7.28 Our system has detected an unusual rate of unsolicited mail"],
  ["deferred provider", "final", "421-4.7.28 an unusual rate\r\n421 4.7.28 of mail"],
  ["deferred provider", "final", "421 4.7.0 [TSS04] Messages temporarily deferred"],
  ["deferred provider", "rcpt", "421 try later"],
  ["deferred provider", "final", "421 RP-001 some messages weren't sent"],
  ["deferred provider", "rcpt", "451 4.7.650 The mail server has been temporarily rate limited"],
  ["deferred provider", "rcpt", "450 4.7.1 Client host rejected: cannot find your hostname"],
  ["deferred provider", "rcpt", "451 4.7.1 rate limited"],
  ["deferred provider", "rcpt", "451 4.7.0 temporarily deferred"],
  ["deferred provider", "rcpt", "421 4.7.1 : (DYN:T1)"],
  ["deferred provider", "final", "451 4.7.26 unauthenticated mail"],
  ["deferred provider", "rcpt", "450 4.2.1 Rate limit exceeded, try again later"],
  ["deferred provider", "data", "450 too many messages, slow down"],
  ["deferred provider", "rcpt", "452 4.2.1 Messages throttled"],
  // No answer, or none that makes sense.
  ["deferred relay", "connect", ""],
  ["deferred relay", "data", "354 go on"],
  ["deferred relay", "body", ""],
  ["unknown", "final", ""],
  ["unknown", "final", "what?"],
  ["unknown", "final", "354 go on"],
];

test.each(replies)("%s: at %s, %j", (expected, stage, reply) => {
  const verdict = judge(failure(stage, reply));
  expect("scope" in verdict ? `${verdict.kind} ${verdict.scope}` : verdict.kind).toBe(expected);
});

describe.each(scriptedReplies)("$reply", ({ reply, mail, rcpt, final }) => {
  const stages: [Stage, string][] = [
    ["connect", "deferred relay"],
    ["tls", "deferred relay"],
    ["auth", "deferred relay"],
    ["mail", mail],
    ["rcpt", rcpt],
    ["final", final],
  ];
  test.each(stages)("at %s: %s", (stage, expected) => {
    const verdict = judge(failure(stage, reply));
    const scope = "scope" in verdict ? verdict.scope : "";
    expect(`${verdict.kind} ${scope}${"byProvider" in verdict ? " of one" : ""}`).toBe(expected);
  });
});

test.each<[Stage, string]>([
  ["final", "provider"],
  ["mail", "relay"],
])("Gmail's 421 4.7.28 asks for ten minutes of silence: at %s, from the %s", (stage, scope) => {
  expect(judge(failure(stage, "421 4.7.28 too fast"))).toMatchObject({ scope, quietMs: 600_000 });
});

test.each<[boolean, Stage, string]>([
  [true, "rcpt", "550 5.7.1 blocked"],
  [true, "final", "550 5.7.515 access denied"],
  [true, "final", "554 5.7.9 message not accepted for policy reasons"],
  [true, "final", "554 looks like spam"],
  [true, "rcpt", "550 blocked using zen.spamhaus.org"],
  [false, "mail", "550 5.7.1 sender domain is blocked"],
  [false, "rcpt", "554 5.7.1 <reader@example.com>: Relay access denied"],
  [false, "rcpt", "550 5.7.1 Unable to relay"],
  [false, "rcpt", "550 5.4.5 daily limit exceeded"],
  [false, "rcpt", "501 5.5.4 bad arguments"],
  [false, "rcpt", "501 bad arguments"],
])("whether a policy refusal can be one provider's (%s): at %s, %j", (byProvider, stage, reply) => {
  const verdict = judge(failure(stage, reply));
  expect(verdict).toMatchObject({ kind: "rejected", scope: "policy" });
  expect("byProvider" in verdict).toBe(byProvider);
});

test("whatever a relay says, the reply is one short clean line, and a dot that may have left is never deferred unanswered", () => {
  const anything = fc.record({
    stage: fc.constantFrom<Stage>("connect", "tls", "auth", "mail", "rcpt", "data", "body", "final"),
    reply: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.tuple(fc.integer({ min: 0, max: 999 }), fc.string()).map((p) => p.join(" ")),
    ),
    bodyEnded: fc.boolean(),
    error: fc.option(fc.string({ unit: "binary", maxLength: 2_000 })),
  });
  fc.assert(
    fc.property(anything, ({ stage, reply, bodyEnded, error }) => {
      const parsed = failure(stage, reply, { bodyEnded, error });
      const verdict = judge(parsed);
      const line = openWording("en").text(verdictText(verdict));
      expect(line).toMatch(/^\P{Cc}+$/u);
      expect(line.length).toBeLessThanOrEqual(500);
      expect(verdict.reply === null).toBe(parsed.code === null);
      if (bodyEnded && parsed.code === null) expect(verdict.kind).toBe("unknown");
      if (!bodyEnded) expect(verdict.kind).not.toBe("unknown");
      // Suppression is for good, so it needs a permanent reply about the mailbox.
      if (verdict.kind === "rejected" && verdict.scope === "address") expect(parsed.code).toBeGreaterThanOrEqual(550);
      expect(relayRefusal(parsed, "relay.example.com", 587)).toMatchObject({
        status: 422,
        code: expect.stringMatching(/^relay_/),
        details: { relay: "relay.example.com:587" },
      });
    }),
  );
});

test("replies of several lines are joined, with the status said once", () => {
  expect(parseReply("550-5.1.1 No such user.\r\n550-5.1.1 Check it.\r\n550 5.1.1 Bye")).toEqual({
    code: 550,
    enhanced: "5.1.1",
    text: "No such user. Check it. Bye",
  });
  expect(parseReply("250")).toEqual({ code: 250, enhanced: null, text: "" });
  expect(replyText("😀".repeat(400))).toBe(`${"😀".repeat(249)}…`);
});
