import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";
import { checkedFile, hashFolder, shippedTemplates, loadTemplates } from "./templates.ts";
import { checkNoticeTemplates } from "./notice.ts";

// Run by `npm run build`: checks the shipped email templates, so that a start does not have to, and stores their hash.
const hash = hashFolder(shippedTemplates);
const code = createHash("sha256").update(readFileSync(join(packageRoot, "package-lock.json")));
for (const name of readdirSync(import.meta.dirname).toSorted()) {
  code.update(readFileSync(join(import.meta.dirname, name)));
}
const mark = `${hash} ${code.digest("hex")}\n`;
if (!existsSync(checkedFile) || readFileSync(checkedFile, "utf8") !== mark) {
  await loadTemplates(shippedTemplates);
  await checkNoticeTemplates(shippedTemplates);
  writeFileSync(checkedFile, mark);
}
