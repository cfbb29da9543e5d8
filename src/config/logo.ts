import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { Refusal, reasonOf } from "../base/errors.ts";
import { lookAtPicture, type Picture } from "./picture.ts";

/** The publication's logo, ready to be served. */
export interface Logo extends Picture {
  /** With a hash of the content: `logo.0123456789ab.png`. */
  name: string;
  content: Buffer;
}

export const largestLogo = 200_000;

/** @throws Refusal 422 for a file that is too large or not a picture that can be a logo */
export function logoOf(content: Buffer): Logo {
  if (content.length > largestLogo) throw tooLarge(content.length);
  const picture = lookAtPicture(content);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return { ...picture, name: `logo.${hash}.${picture.ending}`, content };
}

/**
 * Reads the file of PUBLICATION_LOGO.
 * @param path absolute, or relative to the data folder
 * @throws Refusal 422 when there is no such file, or it cannot be a logo
 */
export function readLogo(dataDir: string, path: string): Logo {
  const file = resolve(dataDir, path);
  try {
    const { size } = statSync(file);
    if (size > largestLogo) throw tooLarge(size);
    return logoOf(readFileSync(file));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Refusal(422, "logo_file_missing", { file });
    throw new Refusal(422, "logo_file_unreadable", { file, reason: code ?? reasonOf(error) });
  }
}

function tooLarge(bytes: number): Refusal {
  return new Refusal(422, "logo_too_large", { kilobytes: Math.ceil(bytes / 1000), most: largestLogo / 1000 });
}
