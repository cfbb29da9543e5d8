import pg from "pg";

const INT8 = 20;
const DATE = 1082;

/**
 * How PostgreSQL values become JavaScript ones, on both engines: `int8` is a number (ids and counts stay far below
 * 2^53), `date` stays the string `YYYY-MM-DD` (a local date has no instant), everything else is as `pg` has it.
 */
export const valueTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") => {
    if (oid === INT8) return Number;
    if (oid === DATE) return String;
    return pg.types.getTypeParser(oid, format);
  },
};
