import { Refusal } from "../base/errors.ts";
import { oneLine, paragraphs } from "../render/plain.ts";
import { subjectLimit } from "../render/subject.ts";

/** UTF-16 units; a mail shows no more of a title and a summary. */
export const draftLimits = { introduction: 2_000, subject: subjectLimit, title: 300, summary: 600 };

/** An introduction as it is kept: paragraphs between empty lines, null for none. @throws Refusal 422 when it is too long */
export function ownText(raw: string | null): string | null {
  return within("introduction", paragraphs(raw ?? "").join("\n\n"));
}

/** A text of one line as it is kept, null for none. @throws Refusal 422 when it is too long */
export function ownLine(name: "subject" | "title" | "summary", raw: string | null): string | null {
  return within(name, oneLine(raw ?? ""));
}

function within(name: keyof typeof draftLimits, text: string): string | null {
  const most = draftLimits[name];
  if (text.length <= most) return text === "" ? null : text;
  throw new Refusal(422, "edition_text_too_long", { field: name, length: text.length, most });
}
