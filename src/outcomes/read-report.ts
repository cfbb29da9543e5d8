import { codeAndText, codesOf, noCodes } from "./codes.ts";
import { flatten, readFields, readMessage, textOf } from "./entity.ts";
import { readForPeople } from "./for-people.ts";

/** What an email to a return path says. Only a bounce and a complaint have an effect. */
export type ReadReport =
  | {
      outcome: "bounced";
      /** Enhanced status code, reply code, or both. */
      code: string | null;
      /** The server's words. */
      text: string | null;
      /** Read from a message for people, because it has no part for programs. */
      guess: boolean;
    }
  | { outcome: "complained" }
  | { outcome: null; reason: "delayed" | "delivered" | "other_feedback" | "auto_reply" | "unreadable" };

/**
 * Reads a bounce (RFC 3464, RFC 6533), a complaint (RFC 5965), or as a last resort a bounce that is written for people. Whom it is
 * about is not read: the return path that it came back to says so. Never throws, and takes time in proportion to the length.
 * @param raw the whole message, of a limited size
 */
export function readReport(raw: Buffer): ReadReport {
  const message = readMessage(raw);
  const all = flatten(message);
  const status = all.find(({ type }) => /^message\/(?:global-)?delivery-status$/.test(type));
  if (status) return readStatus(status.body, textOf(all));
  const feedback = all.find(({ type }) => type === "message/feedback-report");
  if (feedback) return readFeedback(feedback.body);
  return readForPeople(message, all);
}

/**
 * RFC 3464 §2.3: a group of fields for each recipient, after one for the message.
 * @param notice what people are to read
 */
function readStatus(body: string, notice: string): ReadReport {
  const recipients = body
    .split(/\n[ \t]*\n/)
    .map(readFields)
    .filter((fields) => fields.has("action"));
  const actionOf = (fields: Map<string, string>): string => /^\w*/.exec(fields.get("action")!)![0].toLowerCase();
  const failed = recipients.find((fields) => actionOf(fields) === "failed");
  if (!failed) {
    if (recipients.length === 0) return { outcome: null, reason: "unreadable" };
    return { outcome: null, reason: recipients.some((one) => actionOf(one) === "delayed") ? "delayed" : "delivered" };
  }
  const [, kind = "", diagnostic = ""] = /^\s*([^;]{0,50});([^]*)$/.exec(failed.get("diagnostic-code") ?? "") ?? [];
  const said = kind.trim().toLowerCase() === "smtp" ? codesOf(diagnostic) : noCodes;
  const given = /^\s*([245]\.\d{1,3}\.\d{1,3})/.exec(failed.get("status") ?? "")?.[1] ?? null;
  if (given !== null && !given.endsWith(".0.0"))
    return { outcome: "bounced", ...codeAndText(said.reply, given, diagnostic), guess: false };
  // A status of x.0.0 says nothing (RFC 3463 §3.1), so the server's words count, as if it had said them to us.
  if (said.reply !== null || said.enhanced !== null)
    return { outcome: "bounced", ...codeAndText(said.reply, said.enhanced, diagnostic), guess: false };
  const quoted = diagnostic === "" ? replyIn(notice) : null;
  if (quoted !== null) {
    const { reply, enhanced } = codesOf(quoted);
    return { outcome: "bounced", ...codeAndText(reply, enhanced, quoted), guess: true };
  }
  return { outcome: "bounced", ...codeAndText(null, given, diagnostic), guess: false };
}

/** OpenSMTPD's reports have the server's reply only here, after the address. */
function replyIn(notice: string): string | null {
  return /^[^\s@]{1,64}@[^\s@]{1,255}: ([45]\d\d[ -][^\n]{0,1000})/m.exec(notice)?.[1] ?? null;
}

/** RFC 5965 §7.3. `not-spam` takes a complaint back, and others are about authentication (RFC 6591). */
const complaints = new Set(["abuse", "fraud", "opt-out", "opt-out-list"]);

function readFeedback(body: string): ReadReport {
  const type = readFields(body).get("feedback-type")?.trim().toLowerCase() ?? "";
  return complaints.has(type) ? { outcome: "complained" } : { outcome: null, reason: "other_feedback" };
}
