import { simpleParser } from "mailparser";
import type { Received } from "./sink.ts";

/** A mail as its reader sees it. */
export interface ReadMail {
  to: string;
  subject: string;
  messageId: string;
  /** Headlines, in order. */
  headlines: string[];
  html: string;
  text: string;
}

export async function readMail(received: Pick<Received, "to" | "raw">): Promise<ReadMail> {
  const mail = await simpleParser(received.raw);
  const html = mail.html || "";
  return {
    to: received.to,
    subject: mail.subject ?? "",
    messageId: mail.messageId ?? "",
    headlines: [...html.matchAll(/<h2[^>]*>(.*?)<\/h2>/gs)].map((match) => plain(match[1]!)),
    html,
    text: mail.text ?? "",
  };
}

function plain(html: string): string {
  return html
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .trim();
}
