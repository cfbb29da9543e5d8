import { describe, expect, test } from "vitest";
import { ownHead, sharedHead, type OwnFields, type SharedFields } from "../../../src/mail/mime.ts";

const shared: SharedFields = {
  from: { name: "Telecom Courier", address: "news@courier.example" },
  listId: { name: "Telecom Courier", id: "daily.courier.example" },
  language: "en",
  boundary: "=_b",
};
const own: OwnFields = {
  to: "reader@mail.example",
  subject: "Headline",
  messageId: "<1.2@courier.example>",
  date: new Date("2013-12-05T07:00:00Z"),
  unsubscribe: { oneClick: "https://news.example/unsubscribe/x", mailto: null },
  feedbackId: "2013-12-05-1:edition:daily:courier",
};

const link = (oneClick: string): Partial<OwnFields> => ({ unsubscribe: { oneClick, mailto: null } });
const secondWay = (uri: string): Partial<OwnFields> => ({
  unsubscribe: { oneClick: "https://a.example/u", mailto: uri },
});

describe("the head of a mail", () => {
  test("has the fields that bulk mail needs, word for word", () => {
    const { from, fixed } = sharedHead(shared);
    expect(`${from}${ownHead(own)}${fixed}`.split("\r\n")).toEqual([
      "From: Telecom Courier <news@courier.example>",
      "To: reader@mail.example",
      "Subject: Headline",
      "Date: Thu, 05 Dec 2013 07:00:00 +0000",
      "Message-ID: <1.2@courier.example>",
      "List-Unsubscribe: <https://news.example/unsubscribe/x>",
      "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
      "Feedback-ID: 2013-12-05-1:edition:daily:courier",
      "List-Id: Telecom Courier <daily.courier.example>",
      "Auto-Submitted: auto-generated",
      "Precedence: bulk",
      "X-Auto-Response-Suppress: OOF, AutoReply",
      "Content-Language: en",
      "MIME-Version: 1.0",
      'Content-Type: multipart/alternative; boundary="=_b"',
      "",
    ]);
  });

  test("names nothing to unsubscribe from where there is nothing", () => {
    expect(ownHead({ ...own, unsubscribe: null })).not.toContain("List-Unsubscribe");
  });

  test("an email address to unsubscribe comes after the link, on a line of its own", () => {
    const mailto = "mailto:bounce+x@news.example?subject=unsubscribe";
    const head = ownHead({ ...own, unsubscribe: { oneClick: "https://news.example/unsubscribe/x", mailto } });
    expect(head).toContain(`List-Unsubscribe: <https://news.example/unsubscribe/x>,\r\n <${mailto}>\r\n`);
    expect(head.match(/^List-Unsubscribe:/gm)).toHaveLength(1);
  });

  test("a sender without a name is the bare address", () => {
    expect(sharedHead({ ...shared, from: { name: "", address: "n@c.example" } }).from).toBe("From: n@c.example\r\n");
  });

  test.each<[string, Partial<OwnFields>]>([
    ["a second recipient", { to: "a@b.example, c@d.example" }],
    ["a line break in the address", { to: "a@b.example\r\nBcc: c@d.example" }],
    ["an address that needs SMTPUTF8", { to: "통신@mail.example" }],
    ["an address of absurd length", { to: `${"a".repeat(1000)}@mail.example` }],
    ["a line break in the Message-ID", { messageId: "1@c.example>\r\nBcc: <c@d.example" }],
    ["a Message-ID of absurd length", { messageId: `${"a".repeat(500)}@c.example` }],
    ["a second unsubscribe address", link("https://a.example/>, <mailto:b@c.example")],
    ["a javascript: unsubscribe address", link("javascript:alert(1)")],
    ["an unsubscribe address of absurd length", link(`https://a.example/${"a".repeat(1000)}`)],
    ["a second email address to unsubscribe", secondWay("mailto:a@b.example,c@d.example")],
    ["an email address to unsubscribe that ends the field", secondWay("mailto:a@b.example>\r\nBcc: c@d.example")],
    ["an email address to unsubscribe without its scheme", secondWay("a@b.example")],
    ["a line break in the Feedback-ID", { feedbackId: "a:b\r\nBcc: c@d.example" }],
  ])("refuses %s", (_, change) => {
    expect(() => ownHead({ ...own, ...change })).toThrow(
      expect.objectContaining({
        status: 422,
        code: expect.stringMatching(/^(header_value_invalid|message_id_too_long)$/),
      }),
    );
  });

  test.each<[string, Partial<SharedFields>]>([
    ["From", { from: { name: "x", address: "a@b.example>\r\nBcc: <c@d.example" } }],
    ["List-Id", { listId: { name: "x", id: "a> <b" } }],
    ["Content-Language", { language: "en\r\nBcc: c@d.example" }],
  ])("refuses a %s that is not valid in a header", (field, change) => {
    expect(() => sharedHead({ ...shared, ...change })).toThrow(
      expect.objectContaining({ code: "header_value_invalid", details: expect.objectContaining({ field }) }),
    );
  });
});
