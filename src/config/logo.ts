import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { Refusal } from "../base/errors.ts";
import { lookAtPicture, type Picture } from "./picture.ts";

/** The publication's logo, ready to be served. */
export interface Logo extends Picture {
  /** Holds a hash of the content: `logo.0123456789ab.png`. */
  name: string;
  content: Buffer;
}

export const largestLogo = 200_000;

/** @throws Refusal 422 for what is too large, or no picture that can be a logo */
export function logoOf(content: Buffer): Logo {
  if (content.length > largestLogo) throw tooLarge(content.length);
  const picture = lookAtPicture(content);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return { ...picture, name: `logo.${hash}.${picture.ending}`, content };
}

/**
 * Reads the file of PUBLICATION_LOGO.
 * @param path from the data folder, unless it is absolute
 * @throws Refusal 422 when there is no such file, or it cannot be a logo
 */
export function readLogo(dataDir: string, path: string): Logo {
  const file = resolve(dataDir, path);
  try {
    const { size } = statSync(file);
    if (size > largestLogo) throw tooLarge(size);
    return logoOf(readFileSync(file));
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(422, `${file} cannot be the logo: ${error.message}`);
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "there is no such file" : `it cannot be read (${code ?? "unknown"})`;
    throw new Refusal(
      422,
      `${file} cannot be the logo: ${reason}; expected an SVG, PNG, JPEG or WebP of up to 200 kB.`,
    );
  }
}

function tooLarge(bytes: number): Refusal {
  return new Refusal(422, `it has ${Math.ceil(bytes / 1000)} kB; a logo may have up to ${largestLogo / 1000}.`);
}
