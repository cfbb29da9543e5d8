import { Refusal } from "../base/errors.ts";
import type { ErrorCode } from "../wording/catalogue.ts";
import { replyLine, type SmtpFailure } from "./verdict.ts";

/** host:port, an IPv6 address in brackets. */
export function relayName(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const codes: Partial<Record<SmtpFailure["stage"], { answered: ErrorCode; unanswered: ErrorCode }>> = {
  connect: { answered: "relay_rejected_connection", unanswered: "relay_unreachable" },
  tls: { answered: "relay_without_starttls", unanswered: "relay_tls_failed" },
  auth: { answered: "relay_login_refused", unanswered: "relay_login_impossible" },
};

/** The refusal for a failed connection, as operators see it. */
export function relayRefusal(failure: SmtpFailure, host: string, port: number): Refusal {
  const code = codes[failure.stage]?.[failure.code === null ? "unanswered" : "answered"] ?? "relay_failed";
  return new Refusal(422, code, { relay: relayName(host, port), reply: replyLine(failure).replace(/\.$/, "") });
}
