import type { ImapFlow } from "imapflow";
import { expect, test } from "vitest";
import { returnPath } from "../../../src/mail/return-path.ts";
import { openImapFolder } from "../../../src/outcomes/imap-folder.ts";
import type { ReceiveDeps } from "../../../src/outcomes/receive.ts";

const path = { secret: "secret", bounceAddress: "bounce@news.example.com" };
const to = returnPath(path, { kind: "delivery", editionId: 1, id: 1 }, "mina@example.org");
const source = Buffer.from(
  `Delivered-To: ${to}\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nAway\r\n`,
);

test("messages are moved although the folder exists and the server does not say that this is why it cannot be created", async () => {
  const moved: string[] = [];
  const client = {
    usable: true,
    capabilities: new Map([["MOVE", true]]),
    search: async () => [7],
    fetchAll: async () => [{ uid: 7, source }],
    messageFlagsAdd: async () => true,
    mailboxCreate: () => Promise.reject(new Error("NO Mailbox already exists")),
    messageMove: async (range: string) => moved.push(range) > 0,
  };
  const log = { info: () => undefined, warn: () => undefined };
  const deps = { log, options: path } as unknown as ReceiveDeps;
  const folder = openImapFolder(deps, client as unknown as ImapFlow, path.bounceAddress);
  await folder.readNew(new AbortController().signal);
  expect(moved).toEqual(["7"]);
});
