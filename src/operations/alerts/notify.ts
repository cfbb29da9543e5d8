import { randomUUID } from "node:crypto";
import type { Tx } from "../../db/schema.ts";
import { addNotice } from "../../subscribers/notices.ts";
import type { Trouble } from "./conditions.ts";
import { alertWords } from "./texts.ts";

/** Where alerts go: email addresses and a webhook. Either may be empty. */
export interface AlertWays {
  alertMail: readonly string[];
  alertWebhook: { url: string; secret: string } | null;
}

export interface Message {
  /** null for a test. */
  alert: (Pick<Trouble, "kind" | "subject"> & { id: number }) | null;
  what: "raised" | "cleared";
  sentence: string;
}

/** Queues one email per address and one webhook call, in the transaction that marks the alert as notified. */
export async function tell(
  tx: Tx,
  message: Message,
  deps: { options: AlertWays & { publicationName: string; publicUrl: string }; now: Date },
): Promise<void> {
  const { options, now } = deps;
  const { alert, what, sentence } = message;
  const said = alertWords[alert?.kind ?? "test"];
  const raised = what === "raised";
  const payload = {
    headline: raised ? said.raised : said.cleared,
    sentence: raised ? sentence : `${said.over} The alert was: ${sentence}`,
    advice: raised ? said.advice : null,
  };
  for (const address of options.alertMail) {
    await addNotice(tx, { kind: "alert", subscriberId: null, address, payload }, now);
  }
  if (options.alertWebhook === null) return;
  const data = {
    alert: alert?.id ?? null,
    kind: alert?.kind ?? "test",
    subject: alert?.subject ?? "test",
    sentence: payload.sentence,
    publication: options.publicationName,
    url: `${options.publicUrl}/operator`,
  };
  const body = JSON.stringify({ type: `alert.${what}`, timestamp: now.toISOString(), data });
  await tx.insertInto("alert_calls").values({ id: randomUUID(), body, due_at: now, created_at: now }).execute();
}
