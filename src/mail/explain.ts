import { replyLine, type SmtpFailure } from "./verdict.ts";

/** host:port, an IPv6 address in brackets. */
export function relayName(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What stands in the way of the relay and what to do about it, in a sentence or two for an operator. */
export function explain(failure: SmtpFailure, host: string, port: number): string {
  const why = replyLine(failure);
  const said = failure.code !== null;
  const rest: Partial<Record<SmtpFailure["stage"], string>> = {
    connect: said
      ? `turned us away: ${why}. Ask whoever runs it whether this machine may send through it.`
      : `cannot be reached: ${why}. Check the host and port in SMTP_URL, and that nothing blocks the way.`,
    tls: said
      ? `does not offer TLS (STARTTLS): ${why}. Use a port that does, or smtps:// with its TLS port.`
      : `cannot be trusted over TLS: ${why}. Its certificate must be valid and name the host in SMTP_URL.`,
    auth: said
      ? `refused the user name or password: ${why}. Check both in SMTP_URL.`
      : `cannot be logged in to: ${why}. Use smtps:// or a port with STARTTLS, or take the user out of SMTP_URL.`,
  };
  return `The relay ${relayName(host, port)} ${rest[failure.stage] ?? `failed: ${why}.`}`;
}
