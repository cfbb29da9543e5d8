import { expect, test } from "vitest";
import { bounceKind, type BounceKind } from "../../../src/outcomes/bounce-kind.ts";

test.each<[string | null, string | null, BounceKind]>([
  ["5.1.1", null, "hard"],
  ["5.1.10", "recipient not found", "hard"],
  ["550 5.1.1", "The email account that you tried to reach does not exist", "hard"],
  ["550", "no such user here", "hard"],
  [null, "550 5.1.1 User unknown", "hard"],
  ["550", "5.7.1 message refused", "policy"],
  ["5.7.1", null, "policy"],
  ["5.7.515", null, "policy"],
  ["550", "Blocked, see our spam policy", "policy"],
  ["552 5.3.4", "Message too big", "policy"],
  ["5.2.3", null, "policy"],
  ["5.6.1", null, "policy"],
  ["421 4.7.28", "unusual rate", "policy"],
  ["5.5.4", null, "policy"],
  ["5.2.2", "mailbox full", "soft"],
  ["5.2.1", null, "soft"],
  ["4.4.1", "connection timed out", "soft"],
  ["4.2.2", null, "soft"],
  ["5.4.4", "host not found", "soft"],
  ["5.0.0", null, "soft"],
  [null, null, "soft"],
  [null, "the mailbox does not exist", "soft"],
  ["spam", null, "soft"],
])("%s %s is %s", (code, text, kind) => {
  expect(bounceKind(code, text)).toBe(kind);
});
