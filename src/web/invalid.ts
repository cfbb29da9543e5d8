import { clip, oneLine } from "../render/plain.ts";
import type { z } from "zod";

type Issue = z.core.$ZodIssue;

/** Unknown fields that are named. */
const mostKeys = 20;
const types: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  null: "null",
};
const formats: Record<string, string> = {
  datetime: "an instant such as 2026-11-24T07:00:00Z",
  date: "a date written YYYY-MM-DD",
  url: "an address that begins with https:// or http://",
};

/** What is wrong with a request, one sentence an issue: `limit: "abc" is not a whole number from 1 to 1000.` */
export function describeInvalid(issues: readonly Issue[], data: unknown): string[] {
  return issues.map((issue) => describe(issue, data, []));
}

function describe(issue: Issue, data: unknown, parents: readonly PropertyKey[]): string {
  const path = [...parents, ...issue.path];
  if (issue.code === "invalid_union") {
    const inner = branchOf(issue.errors);
    if (inner) return describe(inner, data, path);
  }
  const field = nameOf(path);
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys
      .slice(0, mostKeys)
      .map((key) => JSON.stringify(clip(oneLine(key), 60)))
      .join(", ");
    return `${field === "" ? "" : `${field}: `}${keys} is unknown here: see /api/v1/openapi.json.`;
  }
  const value = valueAt(data, path);
  const subject = field === "" ? "The request" : field;
  if (value === undefined || (value === null && path.length === 0))
    return `${subject} is missing: expected ${expected(issue)}.`;
  return `${field === "" ? "The request" : `${field}: ${shown(value)}`} is not ${expected(issue)}.`;
}

/** The branch that the value was meant for: the first that found fault with something inside it, if there is one. */
function branchOf(branches: readonly (readonly Issue[])[]): Issue | undefined {
  const inside = branches.find(
    (issues) => issues[0] !== undefined && (issues[0].path.length > 0 || issues[0].code !== "invalid_type"),
  );
  return (inside ?? branches[0])?.[0];
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return types[issue.expected] ?? `a ${issue.expected}`;
    case "invalid_value":
      return issue.values.length === 1 ? quoted(issue.values[0]) : `one of ${issue.values.map(quoted).join(", ")}`;
    case "invalid_format":
      return formats[issue.format] ?? `of the form ${issue.format}`;
    case "too_small":
    case "too_big":
      return sized(issue);
    default:
      return issue.message;
  }
}

function sized(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const [least, limit] = issue.code === "too_small" ? ["at least", issue.minimum] : ["at most", issue.maximum];
  if (issue.origin === "string") return `${least} ${limit} characters long`;
  if (issue.origin === "array") return `a list of ${least} ${limit}`;
  return `${least} ${limit}`;
}

/** `tags[0]`, or `[3].title` where the request is a list. */
export function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`))
    .join("");
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], data);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return clip(JSON.stringify(value), 80);
}

function quoted(value: unknown): string {
  return value === "" ? '""' : String(value);
}
