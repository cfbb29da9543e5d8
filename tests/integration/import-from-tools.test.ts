import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addConsent } from "../../src/subscribers/consents.ts";
import { importSubscribers, type ImportOptions } from "../../src/subscribers/import.ts";
import { parseColumnMap, readCsv } from "../../src/subscribers/import-rows.ts";
import { countByStatus, findByAddress, listSubscribers } from "../../src/subscribers/store.ts";
import { listSuppressions } from "../../src/subscribers/suppression-search.ts";
import { findSuppressed } from "../../src/subscribers/suppressions.ts";
import { openWorld, type World } from "../support/world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const defaults: ImportOptions = { strict: false, dryRun: false, confirmed: true, createTags: true, actor: "test" };
const take = (text: string, options: Partial<ImportOptions> = {}, map: string[] = []) =>
  importSubscribers(world.app, readCsv(Readable.from([text]), parseColumnMap(map)), { ...defaults, ...options });
const reasonOf = async (address: string): Promise<string | undefined> =>
  (await findSuppressed(world.app.db, world.app.options.secret, [address])).get(address);

/** Each with two readers, the first with two tags, and people who must not become readers, with the reasons. */
const exports: [string, string, Record<string, string>][] = [
  [
    "listmonk",
    'uuid,email,name,attributes,status,lists,created_at,updated_at\n1,mina@example.org,Mina,{},enabled,"5G, Korea",2024,2024\n2,jun@example.org,,{},enabled,Korea,2024,2024\n3,out@example.org,,{},blocklisted,Korea,2024,2024\n',
    { "out@example.org": "unsubscribed" },
  ],
  [
    "ghost",
    'id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels\n1,mina@example.org,Mina,,true,false,,2024-01-01T00:00:00.000Z,,"5G,Korea"\n2,jun@example.org,,,true,false,,2024-01-01T00:00:00.000Z,,Korea\n3,out@example.org,,,false,false,,2024-01-01T00:00:00.000Z,,Korea\n',
    { "out@example.org": "unsubscribed" },
  ],
  [
    "substack",
    'email,active_subscription,expiry,email_disabled,created_at,tags\nmina@example.org,false,,false,2024-01-01,"5G,Korea"\njun@example.org,true,,false,2024-01-01,Korea\nout@example.org,false,,true,2024-01-01,Korea\n',
    { "out@example.org": "unsubscribed" },
  ],
  [
    "buttondown",
    'email_address,type,tags,creation_date,unsubscription_date\nmina@example.org,regular,"5G, Korea",2024-01-01,\njun@example.org,premium,Korea,2024-01-01,\nout@example.org,unsubscribed,,2024-01-01,2024-05-01\ngone@example.org,undeliverable,,2024-01-01,\nspam@example.org,complained,,2024-01-01,\n',
    { "out@example.org": "unsubscribed", "gone@example.org": "bounce", "spam@example.org": "complaint" },
  ],
  [
    "beehiiv",
    'email,status,created_at,subscription_tier,referral_code,tags\nmina@example.org,active,2024-01-01,free,a,"5G,Korea"\njun@example.org,active,2024-01-01,free,b,Korea\nout@example.org,inactive,2024-01-01,free,c,\ngone@example.org,invalid,2024-01-01,free,d,\n',
    { "out@example.org": "unsubscribed", "gone@example.org": "bounce" },
  ],
];

test.each(exports)("an export of %s goes through a dry run and an import", async (tool, text, left) => {
  const suppressed = Object.keys(left).length;
  const counts = { tool, lines: 2 + suppressed, added: 2, updated: 0, unchanged: 0, suppressed, refusedCount: 0 };
  expect(await take(text, { dryRun: true })).toMatchObject({ ...counts, imported: false });
  expect(await countByStatus(world.app.db)).toMatchObject({ active: 0, pending: 0, suppressed: 0 });
  expect(await listSuppressions(world.app.db, world.app.options.secret, { after: "", limit: 9 })).toMatchObject({
    suppressions: [],
  });

  expect(await take(text)).toMatchObject({ ...counts, imported: true });
  const readers = await listSubscribers(world.app.db, { after: 0, limit: 9 });
  expect(readers.map(({ address, status, tags }) => [address, status, tags])).toEqual([
    ["mina@example.org", "active", ["5G", "Korea"]],
    ["jun@example.org", "active", ["Korea"]],
  ]);
  for (const [address, reason] of Object.entries(left)) expect(await reasonOf(address)).toBe(reason);
  expect(await take(text)).toMatchObject({ added: 0, suppressed: 0, unchanged: 2 + suppressed, refusedCount: 0 });
});

test("the three files of Mailchimp are imported in any order, and people who left get no email", async () => {
  const subscribed =
    'Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,TAGS\nmina@example.org,Mina,2,2020-01-14 09:00:00,2020-01-15 10:48:00,1,a,"""5G"",""Korea, South"""\nout@example.org,,2,2020-01-14 09:00:00,,2,b,"""5G"""\n';
  const unsubscribed =
    "Email Address,MEMBER_RATING,UNSUB_TIME,UNSUB_REASON,LEID,EUID\nout@example.org,2,2021-01-01 00:00:00,NORMAL,2,b\nspam@example.org,2,2021-01-01 00:00:00,ABUSE,3,c\n";
  const cleaned =
    "Email Address,MEMBER_RATING,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID\ngone@example.org,2,2021-01-01 00:00:00,News,4,d\n";
  expect(await take(subscribed)).toMatchObject({ tool: "mailchimp", added: 2 });
  expect(await take(unsubscribed)).toMatchObject({ tool: "mailchimp", suppressed: 2, refusedCount: 0 });
  expect(await take(cleaned)).toMatchObject({ tool: "mailchimp", suppressed: 1, added: 0 });
  const { db } = world.app;
  const confirmedAt = new Date("2020-01-15T10:48:00Z");
  expect(await findByAddress(db, "mina@example.org")).toMatchObject({ tags: ["5G", "Korea, South"], confirmedAt });
  expect(await findByAddress(db, "out@example.org")).toMatchObject({ status: "suppressed" });
  expect(await take(subscribed)).toMatchObject({
    unchanged: 1,
    refused: [{ line: 3, reasons: [{ code: "address_suppressed" }] }],
  });
});

const ghost = (lines: [address: string, deletedAt: string][]): string =>
  `email,subscribed_to_emails,labels,created_at,deleted_at\n${lines.map(([address, at]) => `${address},false,,2024-01-01,${at}\n`).join("")}`;

test("an active reader who agreed here themselves stays, unless they left later or complained", async () => {
  const { app } = world;
  await take(
    "email,all_tags\nhere@example.org,yes\nlater@example.org,yes\nspam@example.org,yes\nlisted@example.org,yes\n",
  );
  const agreed = new Date("2026-03-01T00:00:00Z");
  for (const name of ["here", "later", "spam"]) {
    const { id } = (await findByAddress(app.db, `${name}@example.org`))!;
    const request = { wording: null, wordingVersion: null, tags: [], tagIds: [], allTags: true, timezone: null };
    await app.db.transaction().execute(async (tx) => {
      const from = { formUrl: null, requestedFrom: null, requestedAt: agreed };
      const consent = await addConsent(tx, id, { ...request, ...from, method: "form" });
      await tx.updateTable("consents").set({ confirmed_at: agreed }).where("id", "=", consent).execute();
    });
  }
  const list = ghost([
    ["here@example.org", "2025-12-01T00:00:00Z"],
    ["later@example.org", "2026-04-01T00:00:00Z"],
    ["listed@example.org", ""],
  ]);
  const details = { address: "here@example.org", date: "2026-03-01" };
  expect(await take(list)).toMatchObject({
    suppressed: 2,
    refused: [{ line: 2, reasons: [{ code: "import_reader_signed_up_here", details }] }],
  });
  const complained = "email_address,type,creation_date\nspam@example.org,complained,2024-01-01\n";
  expect(await take(complained)).toMatchObject({ suppressed: 1, refusedCount: 0 });
  const statuses = ["here", "later", "listed", "spam"].map(async (name) => {
    const reader = await findByAddress(app.db, `${name}@example.org`);
    return reader?.status;
  });
  expect(await Promise.all(statuses)).toEqual(["active", "suppressed", "suppressed", "suppressed"]);
});

test("an address with both kinds of lines is suppressed, whichever comes first", async () => {
  const line = (address: string, type: string): string => `${address},${type},2024-01-01\n`;
  const both = [line("a@example.org", "regular"), line("a@example.org", "unsubscribed")];
  const text = `email_address,type,creation_date\n${both.join("")}${both.toReversed().join("").replaceAll("a@", "b@")}`;
  expect(await take(text, { allTags: true })).toMatchObject({ added: 0, suppressed: 2, refusedCount: 2 });
});

test("readers without a tag follow all news if the operator says so", async () => {
  const text = "email,active_subscription,email_disabled,created_at\nmina@example.org,false,false,2024-01-01\n";
  expect(await take(text)).toMatchObject({ added: 0, refused: [{ reasons: [{ code: "nothing_followed" }] }] });
  expect(await take(text, { allTags: true })).toMatchObject({ tool: "substack", added: 1, refusedCount: 0 });
  expect(await findByAddress(world.app.db, "mina@example.org")).toMatchObject({ allTags: true });
});
