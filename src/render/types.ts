/** Who sends the mail, as the settings give it. */
export interface Publication {
  name: string;
  /** Absolute http(s) address of the public pages, with or without a slash at its end. */
  publicUrl: string;
  postalAddress: string | null;
  /** BCP 47 tag; dates and the mail's own words follow it. */
  language: string;
  /** `#rrggbb`. */
  accentColour: string;
  /** For mails; null without one, or where mail programs would not show it. */
  logo: MailLogo | null;
  from: { name: string; address: string };
  /** The identifier of RFC 2919, without angle brackets. */
  listId: string;
}

/** A picture at an absolute address, in the size it is shown in. */
export interface MailLogo {
  url: string;
  width: number;
  height: number;
}

/** One article as the edition froze it. Its texts are meant to be plain, and are treated as hostile all the same. */
export interface EditionArticle {
  position: number;
  title: string;
  url: string;
  summary: string;
  tags: string[];
  origin: { name: string; url: string | null } | null;
  publishedAt: string | null;
}

/** An edition's local date (`YYYY-MM-DD`) and its number within that date, from 1. */
export interface EditionName {
  date: string;
  number: number;
}

export type Mode = "edition" | "sample";

/** What an editor wrote for one edition. Plain text, and treated as hostile all the same. */
export interface EditionWords {
  /** Above the articles; a line break begins a paragraph. */
  introduction: string | null;
  /** Instead of the lead's headline, for every reader. */
  subject: string | null;
}

/** What one reader's mail needs besides the stencil. */
export interface ReaderMail {
  /** A bare ASCII address. */
  to: string;
  /** With or without angle brackets; the same at every attempt. */
  messageId: string;
  /** Edition positions in display order; the first is the lead. */
  positions: number[];
  /** How many further articles matched and are only on the web. */
  more: number;
  matchedTags: string[] | "all";
  /** Absolute http(s) addresses. `oneClick` is that of RFC 8058, in the header alone. */
  links: { preferences: string; unsubscribe: string; oneClick: string; moreUrl: string };
  date: Date;
}

export const readerSlots = [
  "preheader",
  "why",
  "address",
  "preferencesUrl",
  "unsubscribeUrl",
  "moreUrl",
  "moreArticles",
] as const;

/** A place in the mail whose value is known only when the reader is. */
export type ReaderSlot = (typeof readerSlots)[number];

export type Part = { fixed: string } | { slot: ReaderSlot } | { articles: true } | { more: Part[] };

/** An article in one form of the mail, quoted-printable. */
export interface ArticlePiece {
  html: string;
  text: string;
  /** Size of the decoded HTML, in kB of 1000 bytes. */
  kb: number;
}

export interface StencilArticle {
  position: number;
  /** Plain, one line, no longer than a subject. */
  title: string;
  lead: ArticlePiece;
  rest: ArticlePiece;
}

/** Stencils are stored: raise this when their shape changes, so that an older one is not misread. */
export const stencilVersion = 2;

/**
 * An edition's mail with everything done that does not depend on the reader or the sender. Plain JSON. Every `fixed` and every
 * article piece is quoted-printable from column 0 and ends with a line break, so pieces can be joined in any order.
 */
export interface Stencil {
  version: number;
  mode: Mode;
  language: string;
  /** Subject of a mail without articles. */
  title: string;
  /** The editor's own subject of every mail, one line; left out where there is none. */
  subject?: string;
  boundary: string;
  html: Part[];
  text: Part[];
  articles: StencilArticle[];
  /** Size of the decoded HTML without articles, with room for the reader's values, in kB of 1000 bytes. */
  kb: number;
}

export interface TemplateFile {
  path: string;
  source: string;
}

export interface EmailTemplates {
  /** Folder from which partials may be included. */
  folder: string;
  html: TemplateFile;
  text: TemplateFile;
}
