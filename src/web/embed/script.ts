import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { packageRoot } from "../../package-root.ts";
import { asciiJson, fillScript } from "../texts.ts";
import type { Wording } from "../../wording/catalogue.ts";

/** What the box knows without asking. */
export interface BoxSettings {
  /** The publication's. */
  name: string;
  /** What a reader agrees to by signing up. */
  wording: string;
  /** `#rrggbb`, readable on the paper of each scheme. */
  accent: { light: string; dark: string };
  /** Keys of tags that are not offered, whatever the page names. */
  hidden: readonly string[];
}

/** `/embed.js`, ready to be sent. */
export interface EmbedScript {
  plain: string;
  gzipped: Buffer;
  etag: string;
}

/** client.js with the settings in it. It stays ASCII, so that it reads the same whatever charset the page is in. */
export function makeEmbedScript(box: BoxSettings, wording: Wording): EmbedScript {
  const source = readFileSync(join(packageRoot, "src/web/embed/client.js"), "utf8");
  const settings = { ...box, language: wording.language };
  const plain = fillScript(source, wording).replace(/\bSETTINGS(?=\);\s*$)/, () => asciiJson(settings));
  const hash = createHash("sha256").update(plain).digest("base64url").slice(0, 16);
  return { plain, gzipped: gzipSync(plain, { level: 9 }), etag: `W/"${hash}"` };
}
