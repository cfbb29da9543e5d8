import type { Wording } from "../wording/catalogue.ts";
import { clip, oneLine } from "./plain.ts";
import type { Mode, ReaderMail, ReaderSlot } from "./types.ts";

/** How many characters of a reader's tags are shown, in the preheader and in the reason for the email. */
const room = { preheader: 60, why: 300 };

/** The plain text of every reader slot. In a sample copy the reader's own links are `#`. */
export function readerValues(mail: ReaderMail, wording: Wording, mode: Mode): Record<ReaderSlot, string> {
  const { say } = wording;
  const n = mail.positions.length + mail.more;
  const tags = mail.matchedTags === "all" ? null : mail.matchedTags;
  const own = mode === "edition";
  return {
    preheader:
      tags === null
        ? say("mail.articles", { n })
        : say("mail.articles_on", { n, tags: listed(tags, room.preheader, wording) }),
    why: tags === null ? say("mail.why_all") : say("mail.why_tags", { tags: listed(tags, room.why, wording) }),
    address: mail.to,
    preferencesUrl: own ? mail.links.preferences : "#",
    unsubscribeUrl: own ? mail.links.unsubscribe : "#",
    moreUrl: mail.links.moreUrl,
    moreArticles: say("mail.more", { n: mail.more }),
  };
}

function listed(tags: string[], limit: number, { say }: Wording): string {
  const shown: string[] = [];
  let size = 0;
  for (const tag of tags) {
    const name = clip(oneLine(tag), limit);
    if (shown.length > 0 && size + name.length + 2 > limit) break;
    shown.push(name);
    size += name.length + 2;
  }
  const text = shown.join(", ");
  return shown.length === tags.length ? text : say("mail.tags_more", { tags: text, n: tags.length - shown.length });
}
