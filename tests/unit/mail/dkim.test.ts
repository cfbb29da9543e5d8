import { generateKeyPairSync, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { describe, expect, test } from "vitest";
import {
  checkDkimRecord,
  dkimRecord,
  dkimSignatures,
  readDkimKey,
  zoneLine,
  type DkimKey,
} from "../../../src/mail/dkim.ts";

function pemOf({ privateKey }: { privateKey: KeyObject }): string {
  return String(privateKey.export({ type: "pkcs8", format: "pem" }));
}

function newKey(type: "rsa" | "ed25519", selector: string): DkimKey {
  const pair = type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ed25519");
  return readDkimKey({ domain: "News.example.com", selector, pem: pemOf(pair), file: "dkim.pem" });
}

const rsa = newKey("rsa", "r1");
const ed25519 = newKey("ed25519", "e1");
const at = new Date("2026-11-24T07:00:00Z");

async function verify(message: Buffer | string, keys: readonly DkimKey[] = [rsa, ed25519]) {
  const records = new Map(keys.map(dkimRecord).map(({ name, value }) => [name, value]));
  const { results } = await dkimVerify(message, {
    resolver: async (name: string) => {
      const record = records.get(name);
      if (record === undefined) throw Object.assign(new Error("no record"), { code: "ENOTFOUND" });
      return [[record]];
    },
  });
  return results.map(({ status }) => status.result);
}

async function signed(message: string, keys: readonly DkimKey[] = [rsa, ed25519]): Promise<Buffer> {
  const bytes = Buffer.from(message);
  return Buffer.concat([await dkimSignatures(keys, bytes, at), bytes]);
}

const mail = [
  'From: "Telecom Daily" <alerts@news.example.com>',
  "To: mina@example.com",
  "Subject: =?UTF-8?B?7ZWc6rWt?= and",
  "  more   of it ",
  "Date: Tue, 24 Nov 2026 07:00:00 +0000",
  "Message-ID: <1.2@news.example.com>",
  "List-Unsubscribe: <https://news.example.com/u/1>",
  "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
  "Feedback-ID: 1:2:3:telecom",
  "List-Id: Telecom Daily <telecom.news.example.com>",
  "Auto-Submitted: auto-generated",
  "Precedence: bulk",
  "MIME-Version: 1.0",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "One  two\t three  ",
  "",
  "lg u+ =3D 한국",
  "",
  "",
  "",
].join("\r\n");

describe("a signed message", () => {
  test.each([
    ["RSA", [rsa]],
    ["Ed25519", [ed25519]],
    ["both", [rsa, ed25519]],
  ] as const)("verifies with %s", async (_, keys) => {
    expect(await verify(await signed(mail, keys))).toEqual(keys.map(() => "pass"));
  });

  test("names every field that providers ask for, and From once more", async () => {
    const [, names = ""] = / h=([^;]*);/.exec((await dkimSignatures([rsa], Buffer.from(mail), at)).toString()) ?? [];
    const listed = names.replaceAll(/\s/g, "").split(":");
    for (const name of [
      "date",
      "message-id",
      "list-unsubscribe",
      "list-unsubscribe-post",
      "feedback-id",
      "auto-submitted",
    ]) {
      expect(listed).toContain(name);
    }
    expect(listed.filter((name) => name === "from")).toHaveLength(2);
  });

  test("has no line of more than 78 characters", async () => {
    const lines = (await dkimSignatures([rsa, ed25519], Buffer.from(mail), at)).toString().split("\r\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78);
  });

  test.each(mail.split("\r\n\r\n")[0]!.split(/\r\n(?! )/))("fails when the field changes: %s", async (field) => {
    const [name = ""] = field.split(":");
    const changed = (await signed(mail)).toString().replace(`\r\n${name}: `, `\r\n${name}: x`);
    expect(await verify(changed)).not.toContain("pass");
  });

  test("fails when a second From is added", async () => {
    const message = (await signed(mail)).toString();
    expect(await verify(message.replace("To: ", "From: evil@example.com\r\nTo: "))).not.toContain("pass");
  });

  test("fails when a byte of the body changes", async () => {
    const message = await signed(mail);
    message[message.length - 8] = 0x21;
    expect(await verify(message)).not.toContain("pass");
  });
});

test("messages of any text verify", async () => {
  const line = fc.string({ unit: fc.constantFrom(" ", "\t", "a", ".", "=", "한", "é", "-"), maxLength: 30 });
  const folds = fc.array(fc.string({ unit: fc.constantFrom("b", " ", "=", "?"), minLength: 1, maxLength: 20 }), {
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), folds, fc.boolean(), async (lines, subject, closed) => {
      const body = [...lines, "z", ...(closed ? ["", "", ""] : [])].join("\r\n");
      const text = `From: a@news.example.com\r\nSubject: x${subject.map((part) => `\r\n ${part}y`).join("")}\r\n\r\n${body}`;
      expect(await verify(await signed(text))).toEqual(["pass", "pass"]);
    }),
    { numRuns: 200 },
  );
});

describe("a key", () => {
  test.each([
    [{ pem: "nothing" }, "dkim_key_unreadable"],
    [{ domain: "localhost" }, "dkim_domain_invalid"],
    [{ domain: "a b.example" }, "dkim_domain_invalid"],
    [{ selector: "a b" }, "dkim_selector_invalid"],
    [{ selector: "" }, "dkim_selector_invalid"],
    [{ pem: pemOf(generateKeyPairSync("rsa", { modulusLength: 768 })) }, "dkim_key_too_short"],
    [{ pem: pemOf(generateKeyPairSync("ec", { namedCurve: "P-256" })) }, "dkim_key_unknown_type"],
  ])("is refused: %o", (wrong, code) => {
    const right = {
      domain: "news.example.com",
      selector: "s1",
      pem: pemOf(generateKeyPairSync("ed25519")),
      file: "dkim.pem",
    };
    expect(() => readDkimKey({ ...right, ...wrong })).toThrow(expect.objectContaining({ code }));
  });

  test("is published in strings of at most 255 bytes", () => {
    const strings = [...zoneLine(dkimRecord(rsa)).matchAll(/"([^"]*)"/g)].map(([, text]) => text!);
    expect(strings.length).toBeGreaterThan(1);
    expect(Math.max(...strings.map((text) => text.length))).toBeLessThanOrEqual(255);
    expect(strings.join("")).toBe(dkimRecord(rsa).value);
  });

  test.each([
    [[dkimRecord(rsa).value], null],
    [
      [
        dkimRecord(rsa)
          .value.replace("v=DKIM1; ", "")
          .replace("k=rsa; ", "")
          .replace(/(p=.{40})/, "$1 "),
      ],
      null,
    ],
    [["v=spf1 -all", dkimRecord(rsa).value], null],
    [[], "missing"],
    [["v=spf1 -all"], "missing"],
    [[dkimRecord(rsa).value, dkimRecord(rsa).value], "several"],
    [["v=DKIM1; k=rsa; p="], "revoked"],
    [["v=DKIM1; k=rsa"], "malformed"],
    [["v=DKIM2; k=rsa; p=AAAA"], "malformed"],
    [["v=DKIM1; k=rsa; p=not base 64 !"], "malformed"],
    [[dkimRecord(ed25519).value], "other_type"],
    [[dkimRecord(newKey("rsa", "r2")).value], "other_key"],
  ])("is compared with %j: %s", (records, fault) => {
    expect(checkDkimRecord(rsa, records)).toBe(fault);
  });
});
