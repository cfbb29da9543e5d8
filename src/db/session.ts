/**
 * Server settings of every connection to PostgreSQL, whatever the server, database or role has: values come in the
 * formats that are read, waiting for a lock is no failure, and each statement sees what was committed before it, as all
 * of them are written for.
 *
 * A node that falls silent with a transaction open holds its locks against all others: for as long as it is suspended,
 * and if its machine is gone, until TCP notices, which by default takes two hours. The server ends such a transaction
 * after `silentMs`, and a connection whose machine does not answer after about 25 s.
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

/** Settings as the start of a connection takes them (libpq's `options`), where a space within a value is escaped. */
export function asOptions(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, "\\$&")}`)
    .join(" ");
}
