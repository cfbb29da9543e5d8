import { join } from "node:path";
import { packageRoot } from "../../../src/package-root.ts";
import { compileStencil } from "../../../src/render/compile.ts";
import { prepare, type Prepared } from "../../../src/render/assemble.ts";
import { senderOf } from "../../../src/render/publication.ts";
import { loadTemplates } from "../../../src/render/templates.ts";
import type {
  EditionArticle,
  EditionWords,
  EmailTemplates,
  Mode,
  Publication,
  ReaderMail,
} from "../../../src/render/types.ts";

export const publication: Publication = {
  name: "Telecom Courier",
  publicUrl: "https://news.example",
  postalAddress: "Telecom Courier\n12 Press Street\nSpringfield 12345",
  language: "en",
  accentColour: "#8a2f1f",
  logo: null,
  pictures: "off",
  links: [],
  from: { name: "Telecom Courier", address: "news@courier.example" },
  listId: "daily.courier.example",
};

export function article(position: number, more: Partial<EditionArticle> = {}): EditionArticle {
  return {
    position,
    title: `Headline ${position}`,
    url: `https://news.example/a/${position}`,
    summary: "What happened, in a sentence.",
    tags: ["lg u+", "huawei", "Korea"],
    origin: { name: "Korea JoongAng Daily", url: null },
    publishedAt: null,
    ...more,
  };
}

export function readerMail(positions: number[], more: Partial<ReaderMail> = {}): ReaderMail {
  return {
    to: "reader@mail.example",
    messageId: "20131205.1.k3j5@courier.example",
    positions,
    more: 0,
    matchedTags: ["huawei", "Korea"],
    links: {
      preferences: "https://news.example/preferences/AbCdEf0123456789AbCdEf0123456789AbCdEf01",
      unsubscribe: "https://news.example/preferences/AbCdEf0123456789AbCdEf0123456789AbCdEf01/unsubscribe",
      oneClick: "https://news.example/unsubscribe/AbCdEf0123456789AbCdEf0123456789AbCdEf02",
      mailto: "mailto:bounce+abcdef@news.example?subject=unsubscribe",
      moreUrl: "https://news.example/editions/2013-12-05?tag=huawei&tag=Korea",
    },
    date: new Date("2013-12-05T07:00:00Z"),
    ...more,
  };
}

let loaded: Promise<EmailTemplates> | undefined;

export function templates(): Promise<EmailTemplates> {
  return (loaded ??= loadTemplates(join(packageRoot, "templates", "email")));
}

export async function prepared(
  articles: EditionArticle[],
  options: { mode?: Mode; publication?: Partial<Publication>; number?: number; words?: EditionWords } = {},
): Promise<Prepared> {
  const own = { ...publication, ...options.publication };
  const edition = { date: "2013-12-05", number: options.number ?? 1 };
  const stencil = await compileStencil(await templates(), {
    publication: own,
    edition,
    articles,
    mode: options.mode ?? "edition",
    ...(options.words ? { words: options.words } : {}),
  });
  return prepare(JSON.parse(JSON.stringify(stencil)) as typeof stencil, senderOf(own, edition));
}
