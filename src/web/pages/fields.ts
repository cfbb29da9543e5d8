/** The fields of a form or a query, whatever was sent: texts, several under one name. */
export interface Fields {
  /** The first of that name; "" without one. */
  one(name: string): string;
  all(name: string): string[];
  has(name: string): boolean;
  /** As it came. */
  raw: Record<string, unknown>;
}

const longest = 2_000;
const most = 2_000;

/** @param raw a parsed body or query; anything but short texts in it is left out */
export function readFields(raw: unknown): Fields {
  const given = (typeof raw === "object" && raw !== null ? raw : {}) as Record<string, unknown>;
  const all = (name: string): string[] =>
    (Object.hasOwn(given, name) ? [given[name]].flat() : [])
      .filter((value): value is string => typeof value === "string" && value.length <= longest)
      .slice(0, most);
  return { all, one: (name) => all(name)[0] ?? "", has: (name) => all(name).length > 0, raw: given };
}
