/** The publication from the settings. */
export interface Publication {
  name: string;
  /** Absolute http(s) address of the public pages, with or without a slash at its end. */
  publicUrl: string;
  postalAddress: string | null;
  /** BCP 47 tag; for dates and texts. */
  language: string;
  /** `#rrggbb`. */
  accentColour: string;
  /** null if there is none, or if email clients would not show it. */
  logo: MailLogo | null;
  pictures: Pictures;
  /** The publisher's pages that readers must be able to find, such as the privacy policy. */
  links: readonly PublicationLink[];
  from: { name: string; address: string };
  /** The identifier of RFC 2919, without angle brackets. */
  listId: string;
}

export interface PublicationLink {
  /** In the publication's language. */
  label: string;
  /** Absolute http(s) address. */
  url: string;
}

/** An image at an absolute URL, with its display size. */
export interface MailLogo {
  url: string;
  width: number;
  height: number;
}

/** The picture that a feed gives for an article, at an https address. Sizes are in pixels; null where they are not known. */
export interface Picture {
  url: string;
  /** Can be empty. */
  alt: string;
  width: number | null;
  height: number | null;
}

/** Which articles of an email show their pictures. */
export type Pictures = "off" | "lead" | "all";

/** One article as frozen for the edition. Its texts should be plain, but are treated as untrusted. */
export interface EditionArticle {
  position: number;
  title: string;
  url: string;
  summary: string;
  tags: string[];
  origin: { name: string; url: string | null } | null;
  publishedAt: string | null;
  /** Missing in articles that a release before pictures has frozen. */
  picture?: Picture | null;
}

/** An edition's local date (`YYYY-MM-DD`) and its number within that date, from 1. */
export interface EditionName {
  date: string;
  number: number;
}

export type Mode = "edition" | "sample";

/** An editor's texts for one edition, treated as untrusted. */
export interface EditionWords {
  /** Shown above the articles. In Markdown, and a line break starts a paragraph. */
  introduction: string | null;
  /** Replaces the lead article's headline as the subject for all readers. */
  subject: string | null;
}

/** The data of one reader's email, besides the stencil. */
export interface ReaderMail {
  /** A bare ASCII address. */
  to: string;
  /** With or without angle brackets. The same for all attempts. */
  messageId: string;
  /** Edition positions in display order; the first is the lead. */
  positions: number[];
  /** How many more matching articles are only on the web. */
  more: number;
  matchedTags: string[] | "all";
  /**
   * Absolute http(s) addresses. `oneClick` is the URL of RFC 8058, only used in the header, as is `mailto`, which is null if nobody
   * receives emails to it.
   */
  links: { preferences: string; unsubscribe: string; oneClick: string; mailto: string | null; moreUrl: string };
  date: Date;
}

export const readerSlots = [
  "preheader",
  "count",
  "why",
  "address",
  "preferencesUrl",
  "unsubscribeUrl",
  "moreUrl",
  "moreArticles",
] as const;

/** A placeholder for a value that depends on the reader. */
export type ReaderSlot = (typeof readerSlots)[number];

export type Part = { fixed: string } | { slot: ReaderSlot } | { articles: true } | { more: Part[] };

/** Of a body part (RFC 2045, 6). Base64 is smaller for text in a script of three-byte characters. */
export type Encoding = "quoted-printable" | "base64";

/** One article in the encodings of the stencil. */
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

/** Stencils are stored. Increase this when their structure changes. */
export const stencilVersion = 3;

/**
 * An edition's email without everything that depends on the reader or the sender. Plain JSON. In quoted-printable, every
 * `fixed` and every article piece is encoded, starts at column 0 and ends with a line break, so they can be joined in any
 * order. In base64, articles are encoded so that they can be joined, and every `fixed` is the text itself.
 */
export interface Stencil {
  version: number;
  mode: Mode;
  language: string;
  /** Subject of an email without articles. */
  title: string;
  /** The editor's subject for all emails, one line. Missing if there is none. */
  subject?: string;
  boundary: string;
  encodings: { html: Encoding; text: Encoding };
  html: Part[];
  text: Part[];
  articles: StencilArticle[];
  /** Size of the decoded HTML without articles, with room for the reader's values, in kB of 1000 bytes. */
  kb: number;
  /** The most articles of one email. Missing in samples, and in editions that an earlier release rendered. */
  maxArticles?: number;
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
