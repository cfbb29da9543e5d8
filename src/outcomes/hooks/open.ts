import { isUtf8 } from "node:buffer";
import { createPublicKey } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Caps } from "../../abuse/caps.ts";
import type { Clock } from "../../base/clock.ts";
import { Refusal } from "../../base/errors.ts";
import type { PlainConfig } from "../../config/settings.ts";
import type { EmailService } from "../store.ts";
import { brevoEvents } from "./brevo.ts";
import type { HookEvent } from "./event.ts";
import { textAt, timeAt } from "./json.ts";
import { mailgunEvents } from "./mailgun.ts";
import { postmarkEvents } from "./postmark.ts";
import { sendGridEvents } from "./sendgrid.ts";
import { sesEvents } from "./ses.ts";
import { hasPassword, isRecent, signedByMailgun, signedBySendGrid } from "./signatures.ts";
import { openSns, type FetchDocument } from "./sns.ts";
import { sparkPostEvents } from "./sparkpost.ts";

export type HookOptions = Pick<
  PlainConfig,
  | "hookSesTopic"
  | "hookSendgridKey"
  | "hookMailgunKey"
  | "hookPostmarkPassword"
  | "hookBrevoPassword"
  | "hookSparkpostPassword"
>;

export interface OpenHookDeps {
  clock: Clock;
  caps: Pick<Caps, "bindBody">;
  fetchDocument: FetchDocument;
  options: HookOptions;
}

/** A call as it arrived. */
export interface HookCall {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** The events of a call. @throws Refusal 401 if its signature or password is wrong, 400 if it is not JSON, 503 if it cannot be verified now */
export type Hook = (call: HookCall) => Promise<readonly HookEvent[]>;

/** The hook of each email service; null if it is not set up. */
export function openHooks(deps: OpenHookDeps): Record<EmailService, Hook | null> {
  const { hookSesTopic, hookSendgridKey, hookMailgunKey, ...passwords } = deps.options;
  const withPassword = (
    password: string | null,
    name: string,
    events: (body: unknown) => readonly HookEvent[],
  ): Hook | null => {
    if (password === null) return null;
    return async ({ headers, body }) => {
      if (!hasPassword(headers.authorization, password)) throw unverified(name, "password");
      return events(jsonOf(body));
    };
  };
  return {
    ses: hookSesTopic === null ? null : sesHook(deps, hookSesTopic),
    sendgrid: hookSendgridKey === null ? null : sendGridHook(deps, hookSendgridKey),
    mailgun: hookMailgunKey === null ? null : mailgunHook(deps, hookMailgunKey),
    postmark: withPassword(passwords.hookPostmarkPassword, "HOOK_POSTMARK_PASSWORD", postmarkEvents),
    brevo: withPassword(passwords.hookBrevoPassword, "HOOK_BREVO_PASSWORD", brevoEvents),
    sparkpost: withPassword(passwords.hookSparkpostPassword, "HOOK_SPARKPOST_PASSWORD", sparkPostEvents),
  };
}

function unverified(name: string, check: string): Refusal {
  return new Refusal(401, "webhook_unverified", { name, check });
}

function jsonOf(body: Buffer): unknown {
  if (!isUtf8(body)) throw new Refusal(400, "body_not_utf8");
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refusal(400, "body_not_json");
  }
}

function sesHook({ clock, fetchDocument }: OpenHookDeps, topic: string): Hook {
  const refuse = (check: string) => unverified("HOOK_SES_TOPIC", check);
  const read = openSns({ clock, fetchDocument, topic, refuse });
  return async ({ body }) => {
    const text = await read(jsonOf(body));
    if (text === null) return [];
    try {
      return sesEvents(JSON.parse(text));
    } catch {
      // Amazon SES also announces in words that it will publish to the topic.
      return [];
    }
  };
}

function sendGridHook({ clock }: OpenHookDeps, key: string): Hook {
  const publicKey = createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" });
  return async ({ headers, body }) => {
    const signature = textAt(headers, "x-twilio-email-event-webhook-signature") ?? "";
    const timestamp = textAt(headers, "x-twilio-email-event-webhook-timestamp") ?? "";
    if (!signedBySendGrid(publicKey, { signature, timestamp, body }))
      throw unverified("HOOK_SENDGRID_KEY", "signature");
    if (!isRecent(timeAt(timestamp), clock.now())) throw unverified("HOOK_SENDGRID_KEY", "time");
    return sendGridEvents(jsonOf(body));
  };
}

function mailgunHook({ clock, caps }: OpenHookDeps, key: string): Hook {
  return async ({ body }) => {
    const call = jsonOf(body);
    const [timestamp, token, signature] = ["timestamp", "token", "signature"].map(
      (name) => textAt(call, "signature", name) ?? "",
    ) as [string, string, string];
    if (!signedByMailgun(key, { timestamp, token, signature })) throw unverified("HOOK_MAILGUN_KEY", "signature");
    if (!isRecent(timeAt(timestamp), clock.now())) throw unverified("HOOK_MAILGUN_KEY", "time");
    const events = mailgunEvents(call);
    if (events.length > 0 && !(await caps.bindBody(token, body))) throw unverified("HOOK_MAILGUN_KEY", "token");
    return events;
  };
}
