import { isUtf8 } from "node:buffer";
import { parse } from "node:querystring";
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { echo, Refusal } from "../base/errors.ts";
import { nameOf } from "./invalid.ts";

/** Bytes of a form without files. */
const longestForm = 100_000;
/** No request of ours nests a tenth of it. */
const deepest = 50;

/**
 * Reads JSON and forms, and refuses every request with text that cannot be stored before a handler sees it: NUL, which
 * PostgreSQL takes in no text, lone surrogates, which it takes in no JSON, and bytes or percent codes that are not UTF-8.
 * It holds for path parameters, queries, forms and JSON, names of fields included. What is in an uploaded file is for its
 * reader to check.
 */
export function takeText(web: FastifyInstance): void {
  const parseJson = web.getDefaultJsonParser("error", "error");
  web.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    if (!isUtf8(body)) return done(new Refusal(400, "body_not_utf8"));
    return parseJson(request, body.toString("utf8"), done);
  });
  web.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "buffer", bodyLimit: longestForm },
    (_request, body: Buffer, done) => {
      const form = body.toString("utf8");
      const field = isUtf8(body) ? brokenEncoding(form) : "";
      return field === null ? done(null, parse(form, "&", "=", { maxKeys: 0 })) : done(brokenText(field));
    },
  );
  web.addHook("preValidation", (request, _reply, done) => {
    const { url, params, query, body } = request;
    const sent = url.includes("?") ? brokenEncoding(url.slice(url.indexOf("?") + 1)) : null;
    if (sent !== null) return done(brokenText(sent));
    try {
      const path = findBroken(params, 0) ?? findBroken(query, 0) ?? findBroken(body, 0);
      return done(path === null ? undefined : brokenText(nameOf(path)));
    } catch (error) {
      return done(error as Error);
    }
  });
}

/** @param field its name in the request, which may be broken itself; "" when it is not known */
function brokenText(field: string): Refusal {
  if (field === "") return new Refusal(400, "request_characters");
  return new Refusal(400, "field_characters", { field: echo(field) });
}

/**
 * The first field of a query or form (WHATWG URL, 5.1) that is broken; null when all are text. A percent sign that begins
 * no code stands for itself, as it does in browsers.
 */
function brokenEncoding(fields: string): string | null {
  // Decoding puts U+FFFD in the place of what is not UTF-8.
  const mayReplace = /\ufffd|%ef%bf%bd/i.test(fields);
  for (const field of new URLSearchParams(fields)) {
    if (field.some((text) => isBroken(text) || (!mayReplace && text.includes("\ufffd")))) return field[0];
  }
  return null;
}

/** Where the first broken text is; null when all of it is text. @throws Refusal 400 */
function findBroken(value: unknown, depth: number): PropertyKey[] | null {
  if (typeof value === "string") return isBroken(value) ? [] : null;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof Readable)
    return null;
  if (depth > deepest) throw new Refusal(400, "request_too_deep", { deepest });
  const isList = Array.isArray(value);
  for (const [key, one] of isList ? value.entries() : Object.entries(value)) {
    if (typeof key === "string" && isBroken(key)) return [key];
    const path = findBroken(one, depth + 1);
    if (path !== null) return [key, ...path];
  }
  return null;
}

function isBroken(text: string): boolean {
  return text.includes("\0") || /\p{Surrogate}/u.test(text);
}

/** An uploaded file. */
interface Upload {
  /** The name on the client. It must not be used as a path. */
  name: string;
  content: Buffer;
}

/** The body of such a form: the first value of each name. File fields without a file are omitted. */
export type UploadForm = Record<string, string | Upload>;

/**
 * Lets the routes of a scope take forms with files (RFC 7578), as browsers send them without a script. Node parses them in
 * memory, so the whole form has a limit. @fastify/multipart limits each file and field, but not their sum.
 * @param limit bytes of the whole form; a larger one is refused with 413
 */
export function takeUploads(scope: FastifyInstance, limit: number): void {
  scope.addContentTypeParser(
    "multipart/form-data",
    { parseAs: "buffer", bodyLimit: limit },
    async ({ headers }: { headers: { "content-type"?: string | undefined } }, body: Buffer) =>
      readUploads(body, headers["content-type"] ?? ""),
  );
}

async function readUploads(body: Buffer, type: string): Promise<UploadForm> {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData().catch(() => {
    throw new Refusal(400, "form_interrupted");
  });
  const fields: UploadForm = {};
  const mayReplace = body.includes("\ufffd");
  for (const [name, value] of form) {
    if (Object.hasOwn(fields, name)) continue;
    // The reader puts U+FFFD in the place of what is not UTF-8.
    if (!mayReplace && (name.includes("\ufffd") || (typeof value === "string" && value.includes("\ufffd"))))
      throw brokenText(name);
    if (typeof value === "string") fields[name] = value;
    else if (value.name !== "" && value.size > 0)
      fields[name] = { name: value.name, content: Buffer.from(await value.arrayBuffer()) };
  }
  return fields;
}

/** The file under this name; null without one. */
export function uploadOf(body: unknown, name: string): Upload | null {
  const value = (body as UploadForm | null)?.[name];
  return typeof value === "object" ? value : null;
}
