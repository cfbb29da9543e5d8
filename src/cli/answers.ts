/** The parts of API responses that commands show. Timestamps are ISO 8601 texts. `--json` prints complete responses. */

export interface SourceAnswer {
  id: number;
  kind: "feed" | "api";
  url: string | null;
  title: string | null;
  healthy: boolean;
  checkedAt: string | null;
  lastError: string | null;
  problem: string | null;
}

export interface ArticleAnswer {
  id: number;
  title: string;
  url: string;
  tags: string[];
  fate: string;
  edition: string | null;
}

export interface TagAnswer {
  name: string;
  aliases: string[];
  articles: number;
  readers: number;
  hiddenAt: string | null;
}

export interface TagActAnswer {
  /** False if nothing had to be changed. */
  changed: boolean;
  /** What the change does. */
  words: string;
}

export interface TagUnaliasedAnswer extends TagActAnswer {
  alias: string;
  tag: string;
}

export interface TagHiddenAnswer extends TagActAnswer {
  tag: string;
  readers: number;
  /** Readers who follow no other visible tag. */
  onlyThis: number;
}

export interface EditionAnswer {
  /** The date, with `.2`, `.3` and so on for extra editions. */
  name: string;
  state: string;
  reason: string | null;
  timezone: string;
  dueAt: string;
  sendingAt: string | null;
  closedAt: string | null;
  articleCount: number;
  readers: number;
  unmatched: number;
  selected: number;
  subject: string | null;
  allowed: string[];
}

export interface EditionStatusAnswer extends EditionAnswer {
  balance: Record<"selected" | DeliveryStateName, number>;
  sentence: string;
  suppressed: number;
}

export interface EditionDetailAnswer extends EditionStatusAnswer {
  articles: { position: number; id: number; title: string; url: string; tags: string[] }[];
  /** Articles left out while the edition was held, which can be put back. */
  leftOut: { id: number; title: string; tags: string[] }[];
}

export interface ComingAnswer {
  date: string;
  send: SendAnswer | null;
  timezone: string;
  revision: number;
  introduction: string | null;
  subject: string | null;
  articles: {
    id: number;
    title: string;
    tags: string[];
    leftOut: boolean;
    placed: boolean;
    original: object | null;
  }[];
  /** Why the pre-send checks would hold the edition now, one sentence each. */
  findings: string[];
}

export interface LinksAnswer {
  links: { id: number; title: string; url: string; verdict: "fine" | "broken" | "unsure"; said: string | null }[];
  unasked: number;
}

export interface ActedAnswer {
  /** False if nothing had to be changed. */
  changed: boolean;
  affected: number;
  edition: EditionStatusAnswer;
}

export interface DeliveryAnswer {
  id: number;
  state: DeliveryStateName;
  address: string | null;
  reply: string | null;
}

export type DeliveryStateName =
  | "sent"
  | "rejected"
  | "expired"
  | "skipped"
  | "unknown"
  | "pending"
  | "sending"
  | "deferred";

export interface SendAnswer {
  date: string;
  at: string;
  note: string | null;
}

export interface ScheduleAnswer {
  timezone: string;
  sendAt: string;
  /** `mon,tue,wed`. */
  sendDays: string;
  skipped: string[];
  moved: { date: string; sendAt: string }[];
  next: SendAnswer[];
  revision: string;
}

export interface LogoAnswer {
  logo: {
    name: string;
    type: string;
    width: number;
    height: number;
    bytes: number;
    url: string;
    inMails: boolean;
  } | null;
  /** Whether PUBLICATION_LOGO in the environment sets the logo. */
  fixed: boolean;
}

export interface LogoChangedAnswer extends Pick<LogoAnswer, "logo"> {
  changed: boolean;
  /** Whether the server restarts now. */
  restarting: boolean;
  sentence: string;
}

export interface SubscriberAnswer {
  id: number;
  address: string;
  status: string;
  allTags: boolean;
  tags: string[];
}

export interface WhyAnswer {
  subscriber: { id: number; address: string; status: string };
  date: string;
  sentence: string;
  editions: {
    edition: string;
    code: string;
    sentence: string;
    articles: { title: string; because: string[]; inMail: boolean }[];
  }[];
}

export interface StatusAnswer {
  publication: string;
  engines: { records: string; queue: string; mail: string };
  schedule: ScheduleAnswer;
  latest: EditionStatusAnswer | null;
  sources: { total: number; unhealthy: { id: number; title: string | null }[] };
  subscribers: Record<"active" | "pending" | "unsubscribed" | "suppressed", number>;
  waiting: number;
  transport: { pausedUntil: string | null; reason: string | null };
}

export interface PollAnswer {
  outcome: "ingested" | "unchanged" | "failed" | "left";
  reason: string | null;
  added: number;
  updated: number;
  unchanged: number;
  problems: string[];
}

export interface ImportAnswer {
  lines: number;
  added: number;
  updated: number;
  unchanged: number;
  /** The first 1,000 of them. */
  refused: { line: number; reason: string }[];
  refusedCount: number;
  /** False for a dry run. */
  imported: boolean;
}
