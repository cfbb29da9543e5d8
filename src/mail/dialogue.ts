import type { Socket } from "node:net";
import { createReplyReader } from "./replies.ts";
import type { Fault } from "./verdict.ts";

/** Why no reply comes any more: what this side found wrong, or the connection's error. */
export class Lost extends Error {
  readonly fault: Fault | undefined;
  /** What had come of the reply when the connection ended. */
  readonly rest: string;

  constructor(reason: Fault | Error, rest = "") {
    super(reason instanceof Error ? reason.message : reason.code, { cause: reason });
    this.fault = reason instanceof Error ? undefined : reason;
    this.rest = rest;
  }
}

/** Commands and replies on a socket, in order. */
export interface Dialogue {
  /** Writes commands that `replies` replies belong to. */
  say(commands: string, replies: number): void;
  /** The next reply. Rejects with `Lost`. */
  reply(ms: number): Promise<string>;
  /** Starts the time for the awaited reply again. */
  within(ms: number): void;
  /** One more reply is to come. */
  owe(): void;
  /** Whether the relay has said more than belongs to the commands. */
  ahead(): boolean;
  /** The reply that is awaited, and all later ones, are lost. */
  end(reason: Fault | Error): void;
}

/**
 * Reads from `socket` from now on.
 * @param on.late no reply has come for `ms`
 * @param on.unasked a reply has come that belongs to no command
 * @param on.endless a reply is too long to read
 */
export function createDialogue(
  socket: Socket,
  on: { late(ms: number): void; unasked(): void; endless(): void },
): Dialogue {
  const reader = createReplyReader();
  /** Replies that no one has waited for yet: those that belong to commands, and at most one more. */
  const unread: string[] = [];
  /** Replies still to come; negative after one that was not. */
  let owed = 0;
  let waiting: { resolve(reply: string): void; reject(lost: Lost): void } | null = null;
  let timer: NodeJS.Timeout | undefined;
  let lost: Lost | null = null;

  socket.on("data", (bytes: Buffer) => {
    if (lost !== null) return;
    const replies = reader.read(bytes);
    if (replies === null) return on.endless();
    for (const reply of replies) {
      if (owed < 0) return;
      owed -= 1;
      if (waiting === null) unread.push(reply);
      else {
        clearTimeout(timer);
        waiting.resolve(reply);
        waiting = null;
      }
      if (owed < 0) on.unasked();
    }
  });

  function start(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => on.late(ms), ms);
  }

  return {
    say(commands, replies) {
      owed += replies;
      socket.write(commands);
    },
    owe: () => void (owed += 1),
    reply(ms) {
      const reply = unread.shift();
      if (reply !== undefined) return Promise.resolve(reply);
      if (lost !== null) return Promise.reject(lost);
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        start(ms);
      });
    },
    within(ms) {
      if (waiting !== null) start(ms);
    },
    ahead: () => owed < 0 || reader.inside(),
    end(reason) {
      if (lost !== null) return;
      lost = new Lost(reason, reader.rest());
      clearTimeout(timer);
      waiting?.reject(lost);
      waiting = null;
    },
  };
}
