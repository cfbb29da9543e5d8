import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { assemble, assembleHtml, assembleText, subjectLine } from "../../src/render/assemble.ts";
import { isProgram } from "../support/kinds.ts";
import { hostileTexts } from "../unit/render/hostile-texts.ts";
import { article, prepared, publication, readerMail } from "../unit/render/mail.ts";

const python = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((dir) => join(dir, "python3"))
  .find(isProgram);
const skipped = python === undefined ? "; left out, python3 is not on the PATH" : "";

/** Parses the messages on standard input, one base64 line each, strictly, and prints what it saw as JSON lines. */
const program = `
import sys, json, base64, email, email.policy
for line in sys.stdin:
    message = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
    parts = list(message.iter_parts())
    print(json.dumps({
        "fields": [name for name in message.keys()],
        "defects": [str(d) for part in [message, *parts] for d in part.defects]
            + [str(d) for value in message.values() for d in getattr(value, "defects", [])],
        "subject": message["subject"],
        "to": [a.addr_spec for a in message["to"].addresses],
        "from": [[a.display_name, a.addr_spec] for a in message["from"].addresses],
        "unsubscribe": message.get_all("list-unsubscribe"),
        "types": [part.get_content_type() for part in parts],
        "text": parts[0].get_content().replace("\\r\\n", "\\n"),
        "html": parts[1].get_content().replace("\\r\\n", "\\n"),
    }))
`;

interface Seen {
  fields: string[];
  from: [string, string][];
  [field: string]: unknown;
}

describe.skipIf(python === undefined)(`Python's email package reads our mails without a complaint${skipped}`, () => {
  test("whatever the texts in them", { timeout: 60_000 }, async () => {
    const cases = [["plain", "Telecom Courier"], ["Korean", "통신신문, \u201c한국\u201d"], ...hostileTexts] as [
      string,
      string,
    ][];
    const mails = await Promise.all(
      cases.map(async ([what, text]) => {
        const edition = await prepared([article(0, { title: text, summary: text, tags: [text] }), article(1)], {
          publication: { name: text, from: { ...publication.from, name: text } },
        });
        const mail = readerMail([0, 1], { matchedTags: [text] });
        return { what, edition, mail, message: assemble(edition, mail) };
      }),
    );
    const input = mails.map(({ message }) => message.toString("base64")).join("\n");
    const run = spawnSync(python ?? "", ["-c", program], {
      input,
      encoding: "utf8",
      env: { PYTHONIOENCODING: "utf-8" },
    });
    expect(run.stderr).toBe("");
    const seen = run.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Seen);
    expect(seen).toHaveLength(mails.length);
    for (const [i, { what, edition, mail }] of mails.entries()) {
      expect({ what, ...seen[i] }).toMatchObject({
        what,
        defects: [],
        fields: seen[0]?.fields ?? [],
        subject: subjectLine(edition, mail),
        to: ["reader@mail.example"],
        unsubscribe: [`<${mail.links.oneClick}>, <${mail.links.mailto}>`],
        types: ["text/plain", "text/html"],
        text: assembleText(edition, mail),
        html: assembleHtml(edition, mail),
      });
      expect(seen[i]?.from.map(([, address]) => address)).toEqual(["news@courier.example"]);
    }
    expect(seen[1]?.from[0]?.[0]).toBe("통신신문, \u201c한국\u201d");
  });
});
