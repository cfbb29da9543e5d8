import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { expect, test } from "vitest";
import { variedEmails } from "../../support/varied-emails.ts";

async function results(bytes: Buffer, records: ReadonlyMap<string, string>): Promise<string[]> {
  const verified = await dkimVerify(bytes, {
    resolver: async (name: string) => {
      const record = records.get(name);
      if (record === undefined) throw Object.assign(new Error("no record"), { code: "ENOTFOUND" });
      return [[record]];
    },
  });
  return verified.results.map(({ status }) => status.result);
}

test("mailauth verifies all signatures of 1,000 varied emails", { timeout: 60_000 }, async () => {
  const { emails, records } = await variedEmails(1_000);
  const failed: number[] = [];
  for (const [i, { bytes, signatures }] of emails.entries()) {
    const found = await results(bytes, records);
    if (found.length !== signatures || found.some((result) => result !== "pass")) failed.push(i);
  }
  expect(failed).toEqual([]);
});

test(
  "no signature survives a change of any signed field, or of one byte of the body",
  { timeout: 60_000 },
  async () => {
    const { emails, records } = await variedEmails(40);
    for (const { bytes, signatures } of emails) {
      const head = bytes.subarray(0, bytes.indexOf("\r\n\r\n") + 2).toString("latin1");
      const signed = / h=([^;]*);/.exec(head)![1]!.replaceAll(/\s/g, "").split(":");
      for (const name of new Set(signed)) {
        const field = new RegExp(`^${name}: `, "im").exec(head)!;
        const changed = Buffer.from(bytes);
        const at = field.index + field[0].length;
        changed[at] = changed[at]! ^ 1;
        const found = await results(changed, records);
        expect(
          found.filter((result) => result === "pass"),
          name,
        ).toEqual([]);
      }
      const begins = bytes.indexOf("\r\n\r\n") + 4;
      const words = Array.from(bytes.keys()).filter((at) => at >= begins && bytes[at]! > 32);
      const [first, middle, last] = [words[0], words[words.length >> 1], words.at(-1)];
      for (const at of [first, middle, last]) {
        if (at === undefined) continue;
        const changed = Buffer.from(bytes);
        changed[at] = changed[at]! ^ 1;
        expect((await results(changed, records)).filter((result) => result === "pass")).toEqual([]);
      }
      expect(await results(bytes, records)).toHaveLength(signatures);
    }
  },
);
