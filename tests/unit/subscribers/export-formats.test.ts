import { describe, expect, test } from "vitest";
import { parse } from "csv-parse/sync";
import { columnKey, readExportLine, recogniseExport } from "../../../src/subscribers/export-formats.ts";

/** The lines of an export, as the import reads them. */
function read(csv: string) {
  const rows: Record<string, string>[] = parse(csv, {
    columns: (header: string[]) => header.map(columnKey),
    bom: true,
  });
  const format = recogniseExport(Object.keys(rows[0]!));
  return { format, lines: rows.map((row) => format && readExportLine(format, row)) };
}

const mina = { address: "mina@example.com" };
const left = { ...mina, suppress: "unsubscribed" };

describe("an export of", () => {
  test("Mailchimp: tags in quotes, and a confirmation with its time", () => {
    const header = "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,CONFIRM_IP,LEID,EUID,NOTES,TAGS";
    const { format, lines } = read(
      `${header}\nmina@example.com,Mina,3,2020-01-14 09:00:00,2020-01-15 10:48:00,192.0.2.1,1,a,,"""lg u+"",""Korea, South"""\n` +
        `jun@example.com,,2,2020-01-14 09:00:00,,,2,b,,`,
    );
    expect(format).toBe("mailchimp");
    expect(lines).toEqual([
      {
        reader: {
          ...mina,
          tags: ["lg u+", "Korea, South"],
          status: "active",
          confirmed_at: "2020-01-15T10:48:00Z",
          consent: "Mailchimp",
        },
      },
      { reader: { address: "jun@example.com", tags: [], consent: "Mailchimp" } },
    ]);
  });

  test.each([
    ["UNSUB_TIME,UNSUB_REASON", "2021-01-01 00:00:00,NORMAL", "unsubscribed"],
    ["UNSUB_TIME,UNSUB_REASON", "2021-01-01 00:00:00,ABUSE", "complaint"],
    ["CLEAN_TIME,CLEAN_CAMPAIGN_TITLE", "2021-01-01 00:00:00,News", "bounce"],
  ])("Mailchimp with %s %s", (columns, cells, suppress) => {
    const { lines } = read(`Email Address,MEMBER_RATING,${columns}\nmina@example.com,2,${cells}`);
    expect(lines).toEqual([{ ...mina, suppress, at: "2021-01-01T00:00:00Z" }]);
  });

  test.each([
    ["enabled", { reader: { ...mina, tags: [], consent: "listmonk" } }],
    ["blocklisted", left],
    ["disabled", left],
  ])("listmonk: %s", (status, line) => {
    const { format, lines } = read(
      `uuid,email,name,attributes,status,created_at,updated_at\n1,mina@example.com,Mina,"{""city"":""Seoul""}",${status},2020,2020`,
    );
    expect(format).toBe("listmonk");
    expect(lines).toEqual([line]);
  });

  test.each([
    ["true,,", { reader: { ...mina, tags: ["news", "Korea"], consent: "Ghost" } }],
    ["false,,", left],
    ["true,,2024-01-01", { ...left, at: "2024-01-01" }],
  ])("Ghost: subscribed %s", (state, line) => {
    const [subscribed, , deleted] = state.split(",");
    const { format, lines } = read(
      "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n" +
        `1,mina@example.com,Mina,,${subscribed},false,,2020-01-01T00:00:00.000Z,${deleted},"news,Korea",`,
    );
    expect(format).toBe("ghost");
    expect(lines).toEqual([line]);
  });

  test.each([
    ["false", { reader: { ...mina, tags: [], consent: "Substack" } }],
    ["true", left],
    ["True", left],
  ])("Substack: email_disabled %s", (disabled, line) => {
    const { format, lines } = read(
      "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n" +
        `mina@example.com,false,,other,${disabled},2020-01-01T00:00:00.000Z,`,
    );
    expect(format).toBe("substack");
    expect(lines).toEqual([line]);
  });

  test.each([
    ["regular", { reader: { ...mina, tags: ["lg u+", "Korea"], consent: "Buttondown" } }],
    ["unactivated", { reader: { ...mina, tags: ["lg u+", "Korea"], status: "pending", consent: "Buttondown" } }],
    ["unsubscribed", left],
    ["undeliverable", { ...mina, suppress: "bounce" }],
    ["complained", { ...mina, suppress: "complaint" }],
    ["blocked", { ...mina, suppress: "operator" }],
  ])("Buttondown: %s", (type, line) => {
    const { format, lines } = read(
      "email_address,notes,metadata,tags,type,source,creation_date,unsubscription_date\n" +
        `mina@example.com,,{},"[""lg u+"", ""Korea""]",${type},api,2020-01-01,`,
    );
    expect(format).toBe("buttondown");
    expect(lines).toEqual([line]);
  });

  test.each([
    ["active", { reader: { ...mina, tags: ["Korea"], consent: "beehiiv" } }],
    ["pending", { reader: { ...mina, tags: ["Korea"], status: "pending", consent: "beehiiv" } }],
    ["inactive", left],
    ["invalid", { ...mina, suppress: "bounce" }],
  ])("beehiiv: %s", (status, line) => {
    const { format, lines } = read(
      `Email,Status,Created At,UTM Source,UTM Channel,Referring Site,Tags\nmina@example.com,${status},2020-01-01,,website,,Korea`,
    );
    expect(format).toBe("beehiiv");
    expect(lines).toEqual([line]);
  });

  test.each(["email,name,tags", "address,tags,status", "Email Address,Tags", "email,created_at", "email,status"])(
    "no known tool: %s",
    (header) => expect(recogniseExport(header.split(","))).toBeNull(),
  );
});
