/**
 * Settings of every connection to PostgreSQL, independent of the defaults of server, database and role: values have the
 * formats that we parse, waiting for a lock is not an error, and each statement sees everything committed before it.
 *
 * A node that stops with an open transaction keeps its locks: as long as it is suspended, or until TCP detects that its
 * machine is gone, which takes two hours by default. The server ends such a transaction after `silentMs`, and a
 * connection to a dead machine after about 25 s.
 */
export function sessionSettings(silentMs = 60_000): Record<string, string> {
  return {
    datestyle: "ISO",
    timezone: "UTC",
    default_transaction_isolation: "read committed",
    statement_timeout: "0",
    lock_timeout: "0",
    idle_in_transaction_session_timeout: String(silentMs),
    tcp_keepalives_idle: "10",
    tcp_keepalives_interval: "5",
    tcp_keepalives_count: "3",
  };
}

/** Settings in the format of libpq's `options`, where spaces in values are escaped. */
export function asOptions(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, "\\$&")}`)
    .join(" ");
}
