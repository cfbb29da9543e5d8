import pg from "pg";

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

const INT8 = 20;
const DATE = 1082;
const INT4_ARRAY: number = 1007;
const TEXT_ARRAY: number = 1009;
const INT8_ARRAY: number = 1016;
const DATE_ARRAY: number = 1182;

/**
 * How PostgreSQL values become JavaScript ones, on both engines: `int8` is a number (ids and counts stay far below
 * 2^53), `date` stays the string `YYYY-MM-DD` (a local date has no instant), and the same in arrays. Everything else is as in `pg`.
 */
export const valueTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") => {
    if (oid === INT8) return Number;
    if (oid === DATE) return String;
    if (oid === INT8_ARRAY) return pg.types.getTypeParser(INT4_ARRAY, format);
    if (oid === DATE_ARRAY) return pg.types.getTypeParser(TEXT_ARRAY, format);
    return pg.types.getTypeParser(oid, format);
  },
};
