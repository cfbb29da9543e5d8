import type { SuppressionReason } from "./suppressions.ts";

/** Tools whose exports are recognised by their header. */
export const exportFormats = ["mailchimp", "listmonk", "ghost", "substack", "buttondown", "beehiiv"] as const;

export type ExportFormat = (typeof exportFormats)[number];

/** A line of such an export: a reader in our own columns, or an address that must not be mailed, with the time it left. */
export type ExportLine =
  | {
      reader: {
        address: string;
        tags: string[];
        status?: "pending" | "active";
        confirmed_at?: string;
        consent: string;
      };
    }
  | { address: string; suppress: SuppressionReason; at?: string };

/** The name of each tool, as it is written. */
export const toolNames: Readonly<Record<ExportFormat, string>> = {
  mailchimp: "Mailchimp",
  listmonk: "listmonk",
  ghost: "Ghost",
  substack: "Substack",
  buttondown: "Buttondown",
  beehiiv: "beehiiv",
};

/** The cells of a line by column name, in lower case with `_` for spaces. */
export type Cells = Readonly<Record<string, string | undefined>>;

interface Format {
  /** Columns that only this tool's exports have together. */
  has: readonly string[];
  /** One of these too. */
  any: readonly string[];
  read(cells: Cells): ExportLine;
}

/** Mailchimp has one file for each of subscribed, unsubscribed and cleaned contacts. All times are UTC. */
const mailchimp: Format = {
  has: ["email_address"],
  any: ["member_rating", "optin_time", "confirm_time", "unsub_time", "clean_time", "leid", "euid"],
  read(cells) {
    const address = cell(cells, "email_address");
    if (cells["clean_time"] !== undefined) return leaver(address, "bounce", utc(cell(cells, "clean_time")));
    if (cells["unsub_time"] !== undefined) {
      const why = /\babuse\b/i.test(cell(cells, "unsub_reason")) ? "complaint" : "unsubscribed";
      return leaver(address, why, utc(cell(cells, "unsub_time")));
    }
    const tags = listed(cell(cells, "tags"));
    return reader("mailchimp", address, tags, confirmedAt(utc(cell(cells, "confirm_time"))));
  },
};

/** Blocklisted: unsubscribed from everything, or added by an operator. Disabled: kept out by an operator. */
const listmonk: Format = {
  has: ["uuid", "email", "status"],
  any: ["attributes", "attribs"],
  read(cells) {
    const address = cell(cells, "email");
    if (cell(cells, "status") !== "enabled") return leaver(address, "unsubscribed");
    return reader("listmonk", address, listed(cell(cells, "lists")));
  },
};

const ghost: Format = {
  has: ["email", "subscribed_to_emails"],
  any: ["complimentary_plan", "labels", "stripe_customer_id", "created_at"],
  read(cells) {
    const address = cell(cells, "email");
    const left = cell(cells, "subscribed_to_emails") !== "true" || cell(cells, "deleted_at") !== "";
    if (left) return leaver(address, "unsubscribed", cell(cells, "deleted_at"));
    return reader("ghost", address, listed(cell(cells, "labels")));
  },
};

/** `email_disabled` is set for readers who turned emails off and for addresses that bounced. */
const substack: Format = {
  has: ["email"],
  any: ["email_disabled", "active_subscription", "unsubscribed_at", "stripe_plan"],
  read(cells) {
    const address = cell(cells, "email");
    const left = cell(cells, "email_disabled") === "true" || cell(cells, "unsubscribed_at") !== "";
    if (left) return leaver(address, "unsubscribed", cell(cells, "unsubscribed_at"));
    return reader("substack", address, listed(cell(cells, "tags")));
  },
};

const buttondownTypes: Readonly<Record<string, SuppressionReason | "pending">> = {
  unactivated: "pending",
  unsubscribed: "unsubscribed",
  removed: "unsubscribed",
  paused: "unsubscribed",
  undeliverable: "bounce",
  complained: "complaint",
  blocked: "operator",
};

const buttondown: Format = {
  has: ["creation_date"],
  any: ["email_address", "email"],
  read(cells) {
    const address = cell(cells, "email_address") || cell(cells, "email");
    const type = cell(cells, "type") || cell(cells, "subscriber_type");
    const means = cell(cells, "unsubscription_date") === "" ? buttondownTypes[type] : "unsubscribed";
    if (means !== undefined && means !== "pending") {
      return leaver(address, means, cell(cells, "unsubscription_date"));
    }
    return reader("buttondown", address, listed(cell(cells, "tags")), means && { status: means });
  },
};

const beehiivStates: Readonly<Record<string, SuppressionReason | "pending">> = {
  pending: "pending",
  validating: "pending",
  needs_attention: "pending",
  inactive: "unsubscribed",
  unsubscribed: "unsubscribed",
  paused: "unsubscribed",
  invalid: "bounce",
};

const beehiiv: Format = {
  has: ["email", "status"],
  any: ["utm_channel", "referral_code", "subscription_tier", "subscription_premium_tier_names", "referring_site"],
  read(cells) {
    const address = cell(cells, "email");
    const means = beehiivStates[cell(cells, "status").replaceAll(" ", "_")];
    if (means !== undefined && means !== "pending") return leaver(address, means);
    return reader("beehiiv", address, listed(cell(cells, "tags")), means && { status: means });
  },
};

const formats: Readonly<Record<ExportFormat, Format>> = { mailchimp, listmonk, ghost, buttondown, beehiiv, substack };

/** The tool that wrote a CSV header, or null for any other list. */
export function recogniseExport(header: readonly string[]): ExportFormat | null {
  const names = new Set(header.map(columnKey));
  const found = Object.entries(formats).find(
    ([, { has, any }]) => has.every((name) => names.has(name)) && any.some((name) => names.has(name)),
  );
  return (found?.[0] as ExportFormat | undefined) ?? null;
}

/** Reads one line. Columns that say nothing about subscription, tags or consent are ignored. */
export function readExportLine(format: ExportFormat, cells: Cells): ExportLine {
  return formats[format].read(cells);
}

/** A column's name as `Cells` has it. */
export function columnKey(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
}

function reader(
  tool: ExportFormat,
  address: string,
  tags: string[],
  known?: { status?: "pending"; confirmed_at?: string },
): ExportLine {
  const active = known?.confirmed_at === undefined ? {} : { status: "active" as const };
  return { reader: { address, tags, ...active, ...known, consent: toolNames[tool] } };
}

function leaver(address: string, suppress: SuppressionReason, at = ""): ExportLine {
  return { address, suppress, ...(at === "" ? {} : { at }) };
}

/** `2021-01-15 10:48:00`, in UTC. */
function utc(time: string): string {
  return time.replace(/^(\S+) (\S+)$/, "$1T$2Z");
}

/** A confirmation with its time is evidence of consent. A sign-up alone is not. */
function confirmedAt(time: string): { confirmed_at: string } | undefined {
  return time === "" ? undefined : { confirmed_at: time };
}

/** `a, b`, `"a, b","c"` or `["a", "b"]`. */
function listed(text: string): string[] {
  if (text.startsWith("[")) {
    try {
      const values: unknown = JSON.parse(text);
      if (Array.isArray(values)) return values.filter((value) => typeof value === "string");
    } catch {
      // Not JSON: read it as a list with commas.
    }
  }
  const names = [...text.matchAll(/"((?:[^"]|"")*)"|([^,"]+)/g)].map(([, quoted, bare = ""]) => quoted ?? bare);
  return names.map((name) => name.replaceAll('""', '"').trim()).filter((name) => name !== "");
}

/** A cell without surrounding spaces, or "". Tools differ in how they write `true` and their states. */
function cell(cells: Cells, name: string): string {
  const value = cells[name]?.trim() ?? "";
  return words.has(name) ? value.toLowerCase() : value;
}

const words = new Set(["status", "type", "subscriber_type", "subscribed_to_emails", "email_disabled"]);
