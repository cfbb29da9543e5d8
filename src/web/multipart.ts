import type { FastifyInstance } from "fastify";
import { Refusal } from "../base/errors.ts";
import { brokenText } from "./text-check.ts";

/** A file that a form sent. */
export interface Upload {
  /** As its owner calls it; not to be trusted as a path. */
  name: string;
  content: Buffer;
}

/** The body of such a form: the first value under each name. A file field without a file is left out. */
export type UploadForm = Record<string, string | Upload>;

/**
 * Lets the routes of a scope take forms with files (RFC 7578), as browsers send them without a script. The platform's own
 * reader takes them apart, in memory: so a limit is needed.
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
    throw new Refusal(400, "The form did not arrive whole: send it once more.");
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
