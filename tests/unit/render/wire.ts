import { expect } from "vitest";

/** What SMTP and MIME ask of the bytes: 7-bit, only CRLF, lines of at most 998 (RFC 5322) and 76 in bodies (RFC 2045). */
export function expectWireSafe(message: Buffer): void {
  const text = message.toString("latin1");
  expect(text).toMatch(/^[\t\r\n -~]*$/);
  expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
  const lines = text.split("\r\n");
  // Nothing has to be doubled (RFC 5321 §4.5.2).
  expect(lines.filter((line) => line.startsWith("."))).toEqual([]);
  const blank = lines.indexOf("");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
  expect(Math.max(...lines.slice(blank).map((line) => line.length))).toBeLessThanOrEqual(76);
}

/** Names of the header fields in order. */
export function fieldNames(message: Buffer): string[] {
  const head = message.toString("latin1").split("\r\n\r\n")[0] ?? "";
  return head.split(/\r\n(?![ \t])/).map((field) => field.split(":")[0] ?? "");
}

/** The tags of an HTML text in order, without their attributes, and each attribute's name. */
export function skeleton(html: string): string[] {
  const tags = html.match(/<[!/a-z][^>]*>/gi) ?? [];
  return tags.map((tag) => tag.replace(/="[^"]*"/g, ""));
}

export function unescapeHtml(html: string): string {
  const named: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };
  return html.replace(/&(lt|gt|quot|#39|amp);/g, (entity) => named[entity] ?? entity);
}

/** Headline links of a mail's HTML in order. */
export function headlines(html: string): { title: string; url: string }[] {
  return [...html.matchAll(/<h2[^>]*>\s*<a href="([^"]*)"[^>]*>([^<]*)<\/a>\s*<\/h2>/g)].map(
    ([, url = "", title = ""]) => ({
      title: unescapeHtml(title),
      url: unescapeHtml(url),
    }),
  );
}
