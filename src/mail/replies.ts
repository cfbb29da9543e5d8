/** Longest reply that is kept, in bytes. RFC 5321 §4.5.3.1.5 asks for 512 a line; a relay that never ends must not fill memory. */
export const longestReply = 65_536;

/** Cuts what a relay says into replies. */
export interface ReplyReader {
  /**
   * The replies that `bytes` complete, in order: each with its lines joined by LF, as `parseReply` reads them.
   * @returns null once a reply is longer than `longestReply`; nothing can be read after that
   */
  read(bytes: Buffer): string[] | null;
  /** Whether the bytes so far end inside a reply. */
  inside(): boolean;
  /** What is there of an unfinished reply. */
  rest(): string;
}

/**
 * A reply ends with its first line that is not `250-…` (RFC 5321 §4.2.1). Lines end with LF, with or without CR; empty ones
 * say nothing.
 */
export function createReplyReader(): ReplyReader {
  /** Complete lines of the unfinished reply, then its unfinished line, as latin1. */
  let lines = "";
  let line = "";
  let broken = false;

  return {
    read(bytes) {
      if (broken) return null;
      const parts = bytes.toString("latin1").split("\n");
      const replies: string[] = [];
      for (const [i, part] of parts.entries()) {
        line += part;
        if (lines.length + line.length > longestReply) {
          broken = true;
          lines = line = "";
          return null;
        }
        if (i === parts.length - 1) break;
        const ended = line.endsWith("\r") ? line.slice(0, -1) : line;
        line = "";
        if (ended.trim() === "") continue;
        if (/^\d{3}-/.test(ended)) lines += `${ended}\n`;
        else {
          replies.push(decoded(lines + ended));
          lines = "";
        }
      }
      return replies;
    },
    inside: () => lines !== "" || line !== "",
    rest: () => decoded((lines + line).trim()),
  };
}

/** Replies have no charset (RFC 5321 §4.2.1). Most are UTF-8; others keep their bytes. */
function decoded(latin1: string): string {
  if (!/[\x80-\xff]/.test(latin1)) return latin1;
  const utf8 = Buffer.from(latin1, "latin1").toString("utf8");
  return utf8.includes("\uFFFD") ? latin1 : utf8;
}
