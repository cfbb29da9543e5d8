/** How much is handed to the operating system at once. A connection that breaks before the last group has not sent the dot. */
const groupBytes = 65_536;

const dot = Buffer.from(".\r\n");
const lineEndAndDot = Buffer.from("\r\n.\r\n");

/**
 * What follows the reply to DATA (RFC 5321 §4.5.2): the message, with a second dot where a line begins with one, and the
 * final dot, in groups of buffers. The message is copied only if a line begins with a dot.
 * @param message in pieces that each end with a whole line, except the last
 * @param undotted whether it is certain that no line begins with a dot
 */
export function dataGroups(message: readonly Buffer[], undotted = false): Buffer[][] {
  const groups: Buffer[][] = [];
  let group: Buffer[] = [];
  let room = groupBytes;
  const add = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length;) {
      if (room === 0) {
        groups.push(group);
        group = [];
        room = groupBytes;
      }
      const part = bytes.subarray(at, at + room);
      group.push(part);
      at += part.length;
      room -= part.length;
    }
  };
  let ended = true;
  for (const piece of message) {
    add(undotted ? piece : stuffed(piece));
    if (piece.length > 0) ended = piece.length >= 2 && piece.at(-1) === 0x0a && piece.at(-2) === 0x0d;
  }
  group.push(ended ? dot : lineEndAndDot);
  groups.push(group);
  return groups;
}

/**
 * The bytes with each line's first dot doubled. Where that is needed, single CRs and LFs also become CRLF: a relay that takes
 * them for line ends must find no dot alone on a line (SMTP smuggling).
 */
function stuffed(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x2e && !bytes.includes("\n.") && !bytes.includes("\r.")) return bytes;
  const text = bytes.toString("latin1").replace(/\r\n?|\n/g, "\r\n");
  return Buffer.from(text.replace(/^\.|(?<=\n)\./g, ".."), "latin1");
}
