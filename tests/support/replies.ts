/** What a relay can say of a mail, by the bounce classes of RFC 3463 and the codes that large providers document. */
export interface ScriptedReply {
  reply: `${number} ${string}`;
  /** What it means at MAIL, at RCPT and DATA, and after the final dot. Before MAIL it is always about the relay. */
  mail: string;
  rcpt: string;
  final: string;
}

/** `rejected policy of one` can be one provider's own refusal. */
const rows: [`${number} ${string}`, string, string, string][] = [
  ["550 5.1.1 No such user", "rejected policy", "rejected address", "rejected address"],
  ["550 5.1.2 Bad destination host", "rejected policy", "rejected address", "rejected address"],
  ["553 5.1.3 Bad address syntax", "rejected policy", "rejected address", "rejected address"],
  ["551 5.1.6 Mailbox has moved", "rejected policy", "rejected address", "rejected address"],
  ["556 5.1.10 Recipient address has a null MX", "rejected policy", "rejected address", "rejected address"],
  ["550 5.7.17 Mailbox owner has changed", "rejected policy", "rejected address", "rejected address"],
  ["550 5.7.18 Domain owner has changed", "rejected policy", "rejected address", "rejected address"],
  ["550 Unknown user", "rejected policy", "rejected address", "rejected message"],
  ["550 5.2.1 Mailbox disabled", "rejected policy", "rejected message", "rejected message"],
  [
    "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
    "rejected policy",
    "rejected message",
    "rejected message",
  ],
  ["550 5.7.13 User account disabled", "rejected policy", "rejected message", "rejected message"],
  [
    "450 4.2.1 The user you are trying to contact is receiving mail too quickly",
    "deferred relay",
    "deferred address",
    "deferred address",
  ],
  ["450 4.2.1 Rate limit exceeded", "deferred relay", "deferred provider", "deferred provider"],
  ["452 4.2.2 Mailbox full", "deferred relay", "deferred address", "deferred address"],
  ["552 5.2.2 Mailbox full", "rejected message", "rejected message", "rejected message"],
  ["451 4.3.0 Temporary system problem", "deferred relay", "deferred address", "deferred address"],
  ["452 4.3.1 System storage exceeded", "deferred relay", "deferred relay", "deferred relay"],
  ["421 4.3.2 System going down", "deferred relay", "deferred relay", "deferred relay"],
  ["451 4.4.1 No answer from host", "deferred relay", "deferred address", "deferred address"],
  ["421 4.4.2 Connection dropped", "deferred relay", "deferred relay", "deferred relay"],
  ["450 Try again later", "deferred relay", "deferred address", "deferred address"],
  ["451 Try again later", "deferred relay", "deferred address", "deferred address"],
  ["421 Too busy", "deferred relay", "deferred provider", "deferred provider"],
  ["421 4.7.28 Unusual rate of mail", "deferred relay", "deferred provider", "deferred provider"],
  ["421 4.7.0 [TSS04] temporarily deferred", "deferred relay", "deferred provider", "deferred provider"],
  ["451 4.7.1 Greylisted", "deferred relay", "deferred address", "deferred address"],
  ["451 4.7.500 Server busy", "deferred relay", "deferred provider", "deferred provider"],
  ["451 4.7.650 Temporarily rate limited", "deferred relay", "deferred provider", "deferred provider"],
  ["550 5.7.1 Message refused", "rejected policy", "rejected policy of one", "rejected policy of one"],
  ["550 5.7.25 No reverse DNS", "rejected policy", "rejected policy of one", "rejected policy of one"],
  ["550 5.7.26 Unauthenticated", "rejected policy", "rejected policy of one", "rejected policy of one"],
  ["550 5.7.27 SPF failed", "rejected policy", "rejected policy of one", "rejected policy of one"],
  ["550 5.7.28 Mail flood", "rejected policy", "rejected policy of one", "rejected policy of one"],
  ["550 5.7.30 DKIM failed", "rejected policy", "rejected policy of one", "rejected policy of one"],
  ["550 5.7.32 Not aligned", "rejected policy", "rejected policy of one", "rejected policy of one"],
  ["550 5.7.515 Access denied", "rejected policy", "rejected policy of one", "rejected policy of one"],
  ["554 5.7.9 Policy reasons", "rejected policy", "rejected policy of one", "rejected policy of one"],
  ["552 5.3.4 Message too big", "rejected message", "rejected message", "rejected message"],
  ["552 5.2.3 Message too long", "rejected message", "rejected message", "rejected message"],
  ["554 5.6.0 Cannot convert", "rejected policy", "rejected message", "rejected message"],
  ["501 5.5.4 Bad arguments", "rejected policy", "rejected policy", "rejected policy"],
  ["553 5.1.7 Bad sender address", "rejected policy", "rejected policy", "rejected policy"],
  ["553 5.1.8 Sender domain unknown", "rejected policy", "rejected policy", "rejected policy"],
  ["550 5.4.5 Daily limit exceeded", "rejected policy", "rejected policy", "rejected policy"],
  ["530 5.7.0 Authentication required", "deferred relay", "deferred relay", "deferred relay"],
  ["534 5.7.9 Stronger authentication required", "deferred relay", "deferred relay", "deferred relay"],
  ["535 5.7.8 Wrong password", "deferred relay", "deferred relay", "deferred relay"],
  ["454 4.7.0 Temporary authentication failure", "deferred relay", "deferred relay", "deferred relay"],
  ["454 Throttling failure: Maximum sending rate exceeded", "deferred relay", "deferred relay", "deferred relay"],
];

export const scriptedReplies: readonly ScriptedReply[] = rows.map(([reply, mail, rcpt, final]) => ({
  reply,
  mail,
  rcpt,
  final,
}));
