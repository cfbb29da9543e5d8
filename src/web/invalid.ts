import { clip } from "../render/plain.ts";
import { oneLine } from "../base/text.ts";
import type { z } from "zod";
import { englishWording, type MessageKey, type MessageValues } from "../texts/catalogue.ts";

type Issue = z.core.$ZodIssue;

/** A code of the catalogue: the part of its key after `fault.`. */
type FaultCode = MessageKey extends infer Key ? (Key extends `fault.${infer Code}` ? Code : never) : never;

/** What is wrong with one field of a request. */
interface Fault {
  /** Such as `tags[0]`, or `[3].title` if the request is a list; "" for the request itself. */
  field: string;
  code: FaultCode;
  /** The values of its sentence. */
  details: MessageValues;
}

/** Maximum number of unknown fields that are named. */
const mostKeys = 20;
const formats = new Set(["datetime", "date"]);
/** Schemas name a fault of their own by its code, as the message of a check. */
const ownCodes = ["not_a_domain", "not_a_hash", "not_a_list", "not_an_id", "consent_missing"] as const;

/** What is wrong with a request, one fault for each issue. */
export function faultsOf(issues: readonly Issue[], data: unknown): Fault[] {
  return issues.map((issue) => faultOf(issue, data, []));
}

/** For example `limit must be a number, not "abc".` */
export function sayFault({ field, code, details }: Fault): string {
  return englishWording().say(`fault.${code}`, { field: field === "" ? "none" : field, ...details });
}

function faultOf(issue: Issue, data: unknown, parents: readonly PropertyKey[]): Fault {
  const path = [...parents, ...issue.path];
  if (issue.code === "invalid_union") {
    const inner = branchOf(issue.errors);
    if (inner) return faultOf(inner, data, path);
  }
  const field = nameOf(path);
  if (issue.code === "unrecognized_keys") {
    const names = issue.keys.slice(0, mostKeys).map((key) => nameOf([...path, clip(oneLine(key), 60)]));
    return { field, code: "unknown_fields", details: { n: names.length, names: names.join(", ") } };
  }
  const value = valueAt(data, path);
  const own = ownCodes.find((code) => code === issue.message);
  if (own) return { field, code: own, details: { value: shown(value) } };
  if (value === undefined || (value === null && path.length === 0)) return { field, code: "missing", details: {} };
  return { field, ...expectation(issue, shown(value)) };
}

/** The branch that the value was meant for: the first with an issue inside it, if there is one. */
function branchOf(branches: readonly (readonly Issue[])[]): Issue | undefined {
  const inside = branches.find(
    (issues) => issues[0] !== undefined && (issues[0].path.length > 0 || issues[0].code !== "invalid_type"),
  );
  return (inside ?? branches[0])?.[0];
}

function expectation(issue: Issue, value: string): Pick<Fault, "code" | "details"> {
  switch (issue.code) {
    case "invalid_type":
      return { code: "wrong_type", details: { expected: issue.expected, value } };
    case "invalid_value":
      return { code: "not_a_choice", details: { choices: issue.values.map(quoted).join(", "), value } };
    case "invalid_format":
      return formats.has(issue.format)
        ? { code: "wrong_format", details: { format: issue.format, value } }
        : { code: "other", details: { value } };
    case "too_small":
      return { code: "too_small", details: { origin: issue.origin, limit: Number(issue.minimum), value } };
    case "too_big":
      return { code: "too_big", details: { origin: issue.origin, limit: Number(issue.maximum), value } };
    default:
      return { code: "other", details: { value } };
  }
}

/** `tags[0]`, or `[3].title` if the request is a list. */
export function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`))
    .join("");
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], data);
}

function shown(value: unknown): string {
  const { say } = englishWording();
  if (Array.isArray(value)) return say("fault.list_value", { n: value.length });
  if (typeof value === "object" && value !== null) return say("fault.object_value");
  return clip(JSON.stringify(value) ?? "", 80);
}

function quoted(value: unknown): string {
  return value === "" ? '""' : String(value);
}
