import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { dataGroups } from "./data.ts";
import { Lost, type Dialogue } from "./dialogue.ts";
import { bytesOf, needsSmtpUtf8, piecesOf, type Mail } from "./transport.ts";
import { parseReply, replyText, type SmtpFailure } from "./verdict.ts";

/** What the relay has announced in its reply to EHLO. */
export interface Abilities {
  /** MAIL, RCPT and DATA may be sent at once (RFC 2920). */
  pipelining: boolean;
  /** MAIL has the message's size as a parameter (RFC 1870). */
  size: boolean;
}

/** How long the relay may take, in milliseconds. */
export interface ReplyTimes {
  /** For each reply before the body, and for taking each group of the body. */
  envelope: number;
  /** For the reply to the final dot. */
  final: number;
}

/** What became of a message, and whether the connection must not be used again. */
export interface Transacted {
  outcome: { reply: string } | SmtpFailure;
  broken: boolean;
}

/** Mail transactions (RFC 5321 §3.3) on one connection, one at a time. */
export interface Transactions {
  send(mail: Mail): Promise<Transacted>;
  /** Resolves when it is certain whether the operating system has the final dot, soon if it never gets it. */
  dotCertain(): Promise<void>;
}

/**
 * Where the final dot is. `leaving`: perhaps with the operating system, perhaps not yet. `queued`: not yet, because the
 * relay has not made room for all that stands before it.
 */
type Dot = "unwritten" | "leaving" | "queued" | "sent";

type EnvelopeStage = "mail" | "rcpt" | "data";
const envelopeStages: readonly EnvelopeStage[] = ["mail", "rcpt", "data"];

export function createTransactions(
  socket: Socket,
  dialogue: Dialogue,
  abilities: Abilities,
  times: ReplyTimes,
): Transactions {
  let stage: SmtpFailure["stage"] = "mail";
  let dot: Dot = "unwritten";
  /** Whether the relay may hold an envelope, which RSET clears. */
  let untidy = false;
  /** First digit of the reply to DATA: 3 (RFC 5321 §4.1.1.4), or 2 from a few relays. */
  let goAhead: string | null = null;

  async function send(mail: Mail): Promise<Transacted> {
    stage = "mail";
    dot = "unwritten";
    /** The first refusal stands, whatever comes after it. */
    let refusal: SmtpFailure | null = null;
    try {
      if (untidy) await reset();
      untidy = true;
      const commands = envelopeCommands(mail, abilities);
      if (abilities.pipelining) dialogue.say(commands.join(""), commands.length);
      let reply = "";
      let recipientTaken = false;
      for (const [i, next] of envelopeStages.entries()) {
        if (!abilities.pipelining) {
          if (refusal !== null) break;
          dialogue.say(commands[i]!, 1);
        }
        stage = next;
        reply = await dialogue.reply(times.envelope);
        const taken = isPositive(reply) || (next === "data" && reply.startsWith("3"));
        if (!taken) refusal ??= answered(reply);
        if (isClosing(reply)) return { outcome: refusal ?? answered(reply), broken: true };
        if (next === "rcpt") recipientTaken = taken;
      }
      if (refusal === null) return await deliver(mail, reply);
      if (isPositive(reply) && goAhead === "3") {
        refusal = null;
        throw new Lost({ code: "replies_out_of_step" });
      }
      return { outcome: refusal, broken: !(await leave(reply, recipientTaken)) };
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      return { outcome: refusal ?? unanswered(error), broken: true };
    }
  }

  async function reset(): Promise<void> {
    dialogue.say("RSET\r\n", 1);
    const reply = await dialogue.reply(times.envelope);
    // What is wrong here says nothing about the next message.
    if (!isPositive(reply) || dialogue.ahead()) throw new Lost({ code: "replies_out_of_step" });
  }

  /**
   * Ends a transaction without a message. A relay that waits for one nevertheless gets an empty one for nobody (RFC 2920
   * §3.1), but only if it has refused the recipient.
   * @param reply the last one: to DATA, or the refusal where commands are sent one by one
   * @returns whether the connection can be used again
   */
  async function leave(reply: string, recipientTaken: boolean): Promise<boolean> {
    if (dialogue.ahead() || isPositive(reply)) return false;
    if (!reply.startsWith("3")) return true;
    if (recipientTaken || stage !== "data") return false;
    dialogue.say(".\r\n", 1);
    const ending = await dialogue.reply(times.envelope);
    return !isClosing(ending) && !dialogue.ahead();
  }

  /** @param reply to DATA */
  async function deliver(mail: Mail, reply: string): Promise<Transacted> {
    // After one extra reply, every later one belongs to the wrong command, and a rejected message would count as sent.
    goAhead ??= reply.charAt(0);
    if (!reply.startsWith(goAhead)) throw new Lost({ code: "replies_out_of_step" });
    stage = "body";
    const ahead = dialogue.ahead();
    dialogue.owe();
    // The relay has answered a message that it does not have.
    if (ahead) return early(await dialogue.reply(times.envelope));
    const answer = dialogue.reply(times.envelope);
    const groups = dataGroups(piecesOf(mail), mail.undotted);
    const last = groups.pop()!;
    let hasAnswer = false;
    const watched = answer.then(() => {
      hasAnswer = true;
    });
    for (const group of groups) {
      await Promise.race([written(group), watched]);
      if (hasAnswer) return early(await answer);
      dialogue.within(times.envelope);
    }
    writeLast(last);
    await watched;
    return final(await answer);
  }

  function written(group: readonly Buffer[]): Promise<void> {
    return new Promise((resolve) => {
      write(group, () => resolve());
      if (isHandedOver()) resolve();
    });
  }

  function writeLast(group: readonly Buffer[]): void {
    dot = "leaving";
    const sent = (): void => {
      dot = "sent";
      dialogue.within(times.final);
    };
    write(group, (error) => {
      if (!error && !socket.destroyed && dot !== "sent") sent();
    });
    if (isHandedOver()) sent();
    else void dotCertain();
  }

  /** Corked, so that all of it leaves in one system call. */
  function write(group: readonly Buffer[], done: (error?: Error | null) => void): void {
    socket.cork();
    for (const [i, bytes] of group.entries()) {
      if (i === group.length - 1) socket.write(bytes, done);
      else socket.write(bytes);
    }
    socket.uncork();
  }

  /** Whether the operating system has taken everything. Never true at once with TLS. */
  function isHandedOver(): boolean {
    return socket.writableLength === 0 && socket.errored === null;
  }

  /**
   * What the operating system took during a write is known one turn of the event loop later (libuv calls back then, and
   * TLS one turn after that). From then on, the callback comes in the same turn.
   */
  async function dotCertain(): Promise<void> {
    for (let turns = 0; turns < 3 && (dot === "leaving" || dot === "queued"); turns += 1) await turn();
    if (dot === "leaving") dot = "queued";
  }

  function early(reply: string): Transacted {
    if (isPositive(reply) || reply.startsWith("3")) throw new Lost({ code: "replied_too_early" });
    return { outcome: answered(reply), broken: true };
  }

  function final(reply: string): Transacted {
    if (dot === "queued") return early(reply);
    stage = "final";
    if (isPositive(reply)) {
      untidy = false;
      return { outcome: { reply: replyText(reply) }, broken: dialogue.ahead() };
    }
    return { outcome: answered(reply), broken: !/^[45]/.test(reply) || isClosing(reply) || dialogue.ahead() };
  }

  function dotMayBeSent(): boolean {
    return dot === "sent" || dot === "leaving";
  }

  function answered(reply: string): SmtpFailure {
    return { stage, bodyEnded: dotMayBeSent(), ...parseReply(reply), error: null };
  }

  function unanswered(lost: Lost): SmtpFailure {
    if (dotMayBeSent()) stage = "final";
    // A relay may refuse and close without ending the line.
    if (/^[45]\d\d[ -]/.test(lost.rest)) return answered(lost.rest);
    // Nothing before the body says anything about the message.
    if (stage !== "final" && stage !== "body") stage = "mail";
    return {
      stage,
      bodyEnded: dotMayBeSent(),
      code: null,
      enhanced: null,
      text: "",
      error: replyText(lost.message),
      ...(lost.fault && { fault: lost.fault }),
    };
  }

  return { send, dotCertain };
}

function envelopeCommands(mail: Mail, abilities: Abilities): [mail: string, rcpt: string, data: string] {
  const parameters = [
    ...(needsSmtpUtf8(mail) ? [" SMTPUTF8"] : []),
    ...(abilities.size ? [` SIZE=${bytesOf(mail)}`] : []),
  ];
  return [`MAIL FROM:<${mail.from}>${parameters.join("")}\r\n`, `RCPT TO:<${mail.to}>\r\n`, "DATA\r\n"];
}

function isPositive(reply: string): boolean {
  return reply.startsWith("2");
}

/** RFC 5321 §4.2.1: the relay closes the connection, whatever it answers with this. */
function isClosing(reply: string): boolean {
  return reply.startsWith("421");
}
