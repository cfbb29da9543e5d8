import pg from "pg";

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
