import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../../src/package-root.ts";
import { bounceKind } from "../../../src/outcomes/bounce-kind.ts";
import { addressesIn } from "../../../src/outcomes/came-to.ts";
import { readReport } from "../../../src/outcomes/read-report.ts";

/** What Postfix 3.7, Exim 4.96 and OpenSMTPD 6.8 of Debian 12 wrote, see tests/support/make-bounces.ts. */
const folder = join(packageRoot, "tests/fixtures/bounces");
const read = (file: string): Buffer => readFileSync(join(folder, file));

const noSuchUser = "550 5.1.1 <unknown@remote.example>: Recipient address rejected: User unknown";
const full = "552 5.2.2 <full@remote.example>: Mailbox full";
const blocked = "550 5.7.1 Message refused by our spam policy";
const bare = "550 No such person at this address";
const lines = `550 5.1.1 The email account that you tried to reach does not exist. 550 5.1.1 Please check it for typing errors`;
const later = "451 4.3.0 Come back in a moment";

type Bounce = ["hard" | "soft" | "policy", code: string, text: string | null];
const bounces: Record<string, Bounce> = {
  "postfix-unknown": ["hard", "550 5.1.1", noSuchUser],
  "postfix-full": ["soft", "552 5.2.2", full],
  "postfix-blocked": ["policy", "550 5.7.1", blocked],
  "postfix-bare": ["hard", "550", bare],
  "postfix-lines": ["hard", "550 5.1.1", lines],
  "postfix-later": ["soft", "451 4.3.0", later],
  "postfix-unknown-host": ["soft", "5.4.4", "unable to look up host nohost.invalid: Name or service not known"],
  "postfix-unreachable": ["soft", "4.4.1", "connect to 127.0.0.1[127.0.0.1]:40855: Connection refused"],
  "postfix-smtputf8": ["hard", "550 5.1.1", "550 5.1.1 <jörg@utf8.example>: Unknown user"],
  "postfix-no-smtputf8": ["policy", "5.6.7", "SMTPUTF8 is required, but was not offered by host 127.0.0.1[127.0.0.1]"],
  "exim-unknown": ["hard", "550 5.1.1", noSuchUser],
  "exim-full": ["soft", "552 5.2.2", full],
  "exim-blocked": ["policy", "550 5.7.1", blocked],
  "exim-bare": ["hard", "550", bare],
  "exim-lines": ["hard", "550 5.1.1", lines],
  "exim-later": ["soft", "451 4.3.0", `${later}: retry timeout exceeded`],
  "exim-unknown-host": ["soft", "5.0.0", null],
  "exim-unreachable": ["soft", "5.0.0", null],
  "exim-smtputf8": ["hard", "550 5.1.1", String.raw`550 5.1.1 <j\303\266rg@utf8.example>: Unknown user`],
  "opensmtpd-unknown": ["hard", "550 5.1.1", noSuchUser],
  "opensmtpd-full": ["soft", "552 5.2.2", full],
  "opensmtpd-blocked": ["policy", "550 5.7.1", blocked],
  "opensmtpd-bare": ["hard", "550", bare],
  "opensmtpd-lines": ["hard", "550 5.1.1", lines],
  "opensmtpd-unknown-host": ["soft", "5.0.0", null],
};
const warnings = [
  "postfix-later-delayed",
  "postfix-unreachable-delayed",
  "exim-later-delayed",
  "exim-unreachable-delayed",
  "opensmtpd-later-delayed",
];

test.each(Object.entries(bounces))("%s is read", (name, [kind, code, text]) => {
  const report = readReport(read(`${name}.eml`));
  // OpenSMTPD writes the server's reply only for people.
  const guess = name.startsWith("opensmtpd-") && text !== null;
  expect(report).toEqual({ outcome: "bounced", code, text, guess });
  expect(bounceKind(code, text)).toBe(kind);
});

test.each(warnings)("%s is no bounce", (name) => {
  expect(readReport(read(`${name}.eml`))).toEqual({ outcome: null, reason: "delayed" });
});

test("all files are named above, and the return path is found in each", () => {
  const names = readdirSync(folder).map((file) => file.replace(/\.eml$/, ""));
  expect(names.toSorted()).toEqual([...Object.keys(bounces), ...warnings].toSorted());
  for (const name of names) {
    const path = `bounce+${name.replace(/^[a-z]+-|-delayed$/g, "")}@news.example.com`;
    expect(addressesIn(read(`${name}.eml`), (address) => address.startsWith("bounce+"))).toEqual([path]);
  }
});
