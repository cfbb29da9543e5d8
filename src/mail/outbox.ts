import { replyText, verdictText, type Verdict } from "./verdict.ts";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf, Refusal } from "../base/errors.ts";
import { createBreaker } from "./breaker.ts";
import { createRateLimiter, ticks } from "./rate-limiter.ts";
import { createThrottle } from "./throttle.ts";
import { envelopeFault, piecesOf, type Mail, type Transport } from "./transport.ts";

/** Writes each message to an `.eml` file in `dir`, named after its Message-ID, so that a resent message replaces itself. */
export function createOutboxTransport(options: { dir: string; connections: number }): Transport {
  const { dir, connections } = options;
  const breaker = createBreaker(connections);
  const limiter = createRateLimiter({ connections, breaker, throttle: createThrottle(false) });
  let made: Promise<unknown> | null = null;
  let serial = 0;

  async function write(mail: Mail): Promise<Verdict> {
    const name = outboxFileName(mail.message);
    const temporary = join(dir, `.${process.pid}-${(serial += 1)}.tmp`);
    try {
      await (made ??= mkdir(dir, { recursive: true, mode: 0o700 }));
      await writeFile(temporary, piecesOf(mail), { mode: 0o600 });
      await rename(temporary, join(dir, name));
      return { kind: "sent", reply: `250 2.0.0 written to ${name}` };
    } catch (error) {
      made = null;
      const data = { error: replyText(reasonOf(error)) };
      return { kind: "deferred", scope: "relay", reply: null, code: "outbox_not_written", data };
    }
  }

  return {
    connections,
    share: () => connections,
    reserve: limiter.reserve,
    more: limiter.more,
    release: limiter.release,
    async send(mail) {
      if (!(await limiter.begin())) {
        return { kind: "deferred", scope: "relay", reply: null, code: "service_stopping" };
      }
      const verdict = envelopeFault(mail) ?? (await write(mail));
      if (verdict.kind === "deferred") breaker.failed(verdictText(verdict), ticks(), ticks());
      else breaker.worked();
      limiter.end();
      return verdict;
    },
    async check() {
      try {
        await mkdir(dir, { recursive: true, mode: 0o700 });
        await access(dir, constants.W_OK);
        return { ok: true, key: "outbox.ready", details: { folder: dir }, smtputf8: true };
      } catch (error) {
        const details = { folder: dir, reason: reasonOf(error) };
        return { ok: false, refusal: new Refusal(422, "outbox_not_writable", details) };
      }
    },
    state: () => ({ open: 0, busy: limiter.busy(), pausedUntil: null, reason: breaker.reason() }),
    async close(graceMs) {
      limiter.close();
      await limiter.drained(graceMs);
    },
  };
}

/**
 * The file name for a message: its Message-ID, which begins with the edition's date, so that names sort by edition.
 * Characters that are not portable become `_`, and then a hash keeps different ids apart.
 */
export function outboxFileName(message: Buffer): string {
  const end = message.indexOf("\r\n\r\n");
  const head = message.subarray(0, end < 0 ? undefined : end).toString("latin1");
  const id = /^message-id:\s*<?([^\s>]+)/im.exec(head)?.[1] ?? "";
  const safe = id.replace(/[^\w.@+-]/g, "_").replace(/^\./, "_");
  if (id !== "" && safe === id && id.length <= 200) return `${id}.eml`;
  const hash = createHash("sha256")
    .update(id === "" ? message : id)
    .digest("hex");
  return `${safe.slice(0, 150) || "no-message-id"}-${hash.slice(0, 16)}.eml`;
}
