import { createRequire } from "node:module";
import { isAbsolute, join, resolve as resolvePath } from "node:path";
import { pathToFileURL } from "node:url";
import { createTransport, type Transporter } from "nodemailer";
import { reasonOf, Refusal } from "../base/errors.ts";
import { failureOfError } from "./nodemailer-errors.ts";
import { piecesOf, type Carrier, type Delivered } from "./transport.ts";
import { judge, replyText, type Fault, type SmtpFailure } from "./verdict.ts";

/** Milliseconds until a transport that says nothing counts as having failed: as long as for the reply to the final dot. */
const longestMs = 600_000;

/**
 * Hands messages to the Nodemailer transport that a module exports, as `{ envelope, raw }`.
 * @param module a package, or the path of a file; relative ones start at `folder`
 * @throws Refusal 422 when the module cannot be loaded, or exports no transport
 */
export async function openModuleCarrier(module: string, folder: string, timeoutMs = longestMs): Promise<Carrier> {
  const mailer = transporterOf(module, await exportedBy(module, folder));
  const inFlight = new Set<(fault: Fault) => void>();

  async function deliver(mail: Parameters<Carrier["deliver"]>[0]): Promise<Delivered> {
    const raw = mail.signatures === undefined ? mail.message : Buffer.concat(piecesOf(mail));
    let giveUp!: (fault: Fault) => void;
    const givenUp = new Promise<Delivered>((resolve) => {
      giveUp = (fault) => resolve(failed(unanswered(fault)));
    });
    inFlight.add(giveUp);
    const timer = setTimeout(giveUp, timeoutMs, { code: "timeout", data: { seconds: Math.round(timeoutMs / 1000) } });
    const sent = Promise.resolve()
      .then(() => mailer.sendMail({ envelope: { from: mail.from, to: [mail.to] }, raw }))
      .then(
        (info): Delivered => ({ verdict: { kind: "sent", reply: replyOf(info) } }),
        (error: unknown) => failed(failureOfError(error)),
      );
    const delivered = await Promise.race([sent, givenUp]);
    clearTimeout(timer);
    inFlight.delete(giveUp);
    return delivered;
  }

  return {
    name: module,
    deliver,
    async check() {
      try {
        if (hasMethod(mailer.transporter, "verify")) await mailer.verify();
        return { ok: true, key: "transport.ready", details: { module }, smtputf8: false };
      } catch (error) {
        return { ok: false, refusal: new Refusal(422, "transport_failed", { module, reason: reasonOf(error) }) };
      }
    },
    open: () => 0,
    async close() {
      for (const stop of inFlight) stop({ code: "service_stopping" });
      mailer.close();
    },
  };
}

function failed(failure: SmtpFailure): Delivered {
  return { verdict: judge(failure), failure };
}

/** Nobody knows what the transport has done. */
function unanswered(fault: Fault): SmtpFailure {
  return { stage: "final", bodyEnded: true, code: null, enhanced: null, text: "", error: null, fault };
}

function replyOf(info: unknown): string {
  const { response, messageId } = (info ?? {}) as { response?: unknown; messageId?: unknown };
  const said = [response, messageId].filter((text) => typeof text === "string");
  return replyText(said.find((text) => text !== "") ?? "accepted");
}

async function exportedBy(module: string, folder: string): Promise<unknown> {
  try {
    const loaded = (await import(placeOf(module, folder))) as { default?: unknown };
    const { default: exported } = loaded;
    return typeof exported === "function" ? await (exported as () => unknown)() : exported;
  } catch (error) {
    throw new Refusal(422, "transport_not_loaded", { module, reason: reasonOf(error) });
  }
}

/** A file by its URL; a package where `folder` has it, otherwise where Dayletter has it. */
function placeOf(module: string, folder: string): string {
  if (isAbsolute(module) || /^\.\.?[/\\]/.test(module)) return pathToFileURL(resolvePath(folder, module)).href;
  try {
    return pathToFileURL(createRequire(join(folder, "package.json")).resolve(module)).href;
  } catch {
    return module;
  }
}

/** Options of which each chooses one of Nodemailer's own transports. */
const choices = ["host", "port", "service", "url", "sendmail", "SES", "streamTransport", "jsonTransport"];

function transporterOf(module: string, exported: unknown): Transporter {
  if (hasMethod(exported, "sendMail") && "transporter" in exported) return careful(exported as unknown as Transporter);
  const isOptions = typeof exported === "object" && exported !== null && choices.some((name) => name in exported);
  if (!isOptions && !hasMethod(exported, "send")) throw new Refusal(422, "transport_not_exported", { module });
  return careful(createTransport(exported as Parameters<typeof createTransport>[0]));
}

/** Nodemailer's pool sends a message again if a connection breaks, even after the final dot: the reader would get two. */
function careful(mailer: Transporter): Transporter {
  const { name, options } = mailer.transporter as { name?: string; options?: { maxRequeues?: number } };
  if (name === "SMTP (pool)" && options) options.maxRequeues = 0;
  return mailer;
}

function hasMethod<Name extends string>(value: unknown, name: Name): value is Record<Name, () => unknown> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, name) === "function";
}
