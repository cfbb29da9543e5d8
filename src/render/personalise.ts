import { clip, oneLine } from "./plain.ts";
import type { Mode, ReaderMail, ReaderSlot } from "./types.ts";
import { fill } from "../base/sentence.ts";
import type { Words } from "./words.ts";

/** How much of a reader's tags a sentence shows, in characters: the opening line is a preheader, the reason is prose. */
const room = { preheader: 60, why: 300 };

/** The plain text of every reader slot. In a sample copy the reader's own links lead nowhere. */
export function readerValues(mail: ReaderMail, words: Words, mode: Mode): Record<ReaderSlot, string> {
  const count = mail.positions.length + mail.more;
  const tags = mail.matchedTags === "all" ? null : mail.matchedTags;
  const articles = count === 1 ? words.article : fill(words.articles, { n: count });
  const own = mode === "edition";
  return {
    preheader:
      tags === null
        ? fill(words.preheader, { articles })
        : fill(words.preheaderTags, { articles, tags: listed(tags, room.preheader, words) }),
    why: tags === null ? words.whyAll : fill(words.whyTags, { tags: listed(tags, room.why, words) }),
    address: mail.to,
    preferencesUrl: own ? mail.links.preferences : "#",
    unsubscribeUrl: own ? mail.links.unsubscribe : "#",
    moreUrl: mail.links.moreUrl,
    moreArticles: mail.more === 1 ? words.moreArticle : fill(words.moreArticles, { n: mail.more }),
  };
}

function listed(tags: string[], limit: number, words: Words): string {
  const shown: string[] = [];
  let size = 0;
  for (const tag of tags) {
    const name = clip(oneLine(tag), limit);
    if (shown.length > 0 && size + name.length + 2 > limit) break;
    shown.push(name);
    size += name.length + 2;
  }
  const text = shown.join(", ");
  return shown.length === tags.length ? text : fill(words.tagsMore, { tags: text, n: tags.length - shown.length });
}
