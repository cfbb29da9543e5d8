import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pythonWithDkim } from "../support/kinds.ts";
import { variedEmails } from "../support/varied-emails.ts";

/** Prints `[index of the email, index of the signature, whether it verifies]` for each signature. */
const program = `
import dkim, json, sys
told = json.load(open(sys.argv[1]))
records = {name.encode(): value.encode() for name, value in told["records"].items()}
verdicts = []
for i, email in enumerate(told["emails"]):
    for n in range(email["signatures"]):
        try:
            verifier = dkim.DKIM(bytes.fromhex(email["hex"]))
            verified = verifier.verify(idx=n, dnsfunc=lambda name, **_: records.get(name.rstrip(b".")))
        except dkim.ValidationError:
            verified = False
        verdicts.append([i, n, verified])
print(json.dumps(verdicts))
`;

test("Python's dkim verifies all signatures of 1,000 varied emails, and of none that has been changed", () => {
  return withFolder(async (folder) => {
    const { emails, records } = await variedEmails(1_000);
    const verdicts = (bytes: readonly Buffer[]): [number, number, boolean][] => {
      const file = join(folder, "emails.json");
      const told = bytes.map((one, i) => ({ hex: one.toString("hex"), signatures: emails[i]!.signatures }));
      writeFileSync(file, JSON.stringify({ emails: told, records: Object.fromEntries(records) }));
      return JSON.parse(String(execFileSync(pythonWithDkim()!, ["-c", program, file], { maxBuffer: 1e8 }))) as [
        number,
        number,
        boolean,
      ][];
    };
    const whole = verdicts(emails.map(({ bytes }) => bytes));
    expect(whole).toHaveLength(emails.reduce((sum, { signatures }) => sum + signatures, 0));
    expect(whole.filter(([, , verified]) => !verified)).toEqual([]);
    const changed = emails.map(({ bytes }) => Buffer.from(`${bytes.toString("latin1").trimEnd()}!\r\n`, "latin1"));
    expect(verdicts(changed).filter(([, , verified]) => verified)).toEqual([]);
  });
});

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-dkim-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
