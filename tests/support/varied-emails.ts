import { generateKeyPairSync, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { dkimRecord, dkimSignatures, readDkimKey, type DkimKey } from "../../src/mail/dkim.ts";
import { encodedBody } from "../../src/mail/encode.ts";
import { ownHead, partBorders, sharedHead } from "../../src/mail/mime.ts";

export interface SignedEmail {
  /** With its signatures. */
  bytes: Buffer;
  /** How many signatures it has. */
  signatures: number;
}

const domain = "news.example.com";

function keyOf(pair: { privateKey: KeyObject }, selector: string): DkimKey {
  const pem = String(pair.privateKey.export({ type: "pkcs8", format: "pem" }));
  return readDkimKey({ domain, selector, pem, file: "dkim.pem" });
}

const text = fc
  .array(
    fc.constantFrom(
      "News",
      "한국 LG U+",
      "naïve",
      "  ",
      "\t",
      " ",
      "\n",
      "\n\n\n",
      "From ",
      ".",
      "=3D",
      "x".repeat(90),
      "🗞",
    ),
    {
      maxLength: 40,
    },
  )
  .map((parts) => parts.join(""));

/** Bodies that no encoder of ours writes: lines with white space at their ends, tabs, and any number of empty lines. */
const rawBody = fc
  .array(fc.constantFrom("word", " ", "  ", "\t", " \t ", "\r\n", "\r\n\r\n", ".", "caf\u00e9"), { maxLength: 40 })
  .map((parts) => Buffer.from(`${parts.join("")}\r\n`).toString("latin1"));

const email = fc.record({
  name: fc.constantFrom("Telecom Daily", "통신 일보", "Zeitung für Köln"),
  subject: text.map((it) => it.replace(/\s+/g, " ").trim() || "News"),
  plain: text,
  html: text,
  raw: fc.option(rawBody, { nil: null }),
  keys: fc.constantFrom("r", "e", "re"),
});

/** Signed emails of all kinds, always the same ones, and the DNS records of their keys. */
export async function variedEmails(count: number): Promise<{ emails: SignedEmail[]; records: Map<string, string> }> {
  const rsa = keyOf(generateKeyPairSync("rsa", { modulusLength: 2048 }), "r1");
  const ed25519 = keyOf(generateKeyPairSync("ed25519"), "e1");
  const emails = await Promise.all(
    fc.sample(email, { numRuns: count, seed: 11 }).map(async ({ name, subject, plain, html, raw, keys }, i) => {
      const shared = sharedHead({
        from: { name, address: `alerts@${domain}` },
        listId: { name, id: `telecom.${domain}` },
        language: "en",
        boundary: "b0undary",
      });
      const own = ownHead({
        to: `reader${i}@example.org`,
        subject,
        messageId: `<${i}@${domain}>`,
        date: new Date(1_763_967_600_000 + i * 1_000),
        unsubscribe: {
          oneClick: `https://${domain}/u/${i}`,
          mailto: i % 2 === 0 ? null : `mailto:bounce+${i}@${domain}?subject=unsubscribe`,
        },
        feedbackId: `2026-11-24:edition:${i}:telecom`,
      });
      const parts = { text: encodedBody(plain), html: encodedBody(html) };
      const borders = partBorders("b0undary", { text: parts.text.encoding, html: parts.html.encoding });
      const body = raw ?? `${borders.text}${parts.text.body}${borders.html}${parts.html.body}${borders.end}`;
      const message = Buffer.from(`${shared.from}${own}${shared.fixed}\r\n${body}`, "latin1");
      const used = [...(keys.includes("r") ? [rsa] : []), ...(keys.includes("e") ? [ed25519] : [])];
      const signatures = await dkimSignatures(used, message, new Date("2026-11-24T07:00:00Z"));
      return { bytes: Buffer.concat([signatures, message]), signatures: used.length };
    }),
  );
  return { emails, records: new Map([rsa, ed25519].map(dkimRecord).map(({ name, value }) => [name, value])) };
}
