import type { Generated, JSONColumnType, Kysely, Transaction } from "kysely";
import type { ReasonCode } from "../editions/reason.ts";
import type { DeliveryState, EditionState } from "../editions/state.ts";
import type { Role } from "../operators/roles.ts";

/** The tables of `migrations/`, as Kysely sees them. A `string` that holds a local date is `YYYY-MM-DD`. */
export interface Schema {
  sources: SourceTable;
  tags: {
    id: Generated<number>;
    key: string;
    name: string;
    created_at: Date;
    hidden_at: Date | null;
    revision: Generated<number>;
  };
  tag_aliases: { key: string; name: string; tag_id: number };
  editions: EditionTable;
  articles: ArticleTable;
  article_guids: { source_id: number; guid: string; article_id: number };
  article_tags: { article_id: number; tag_id: number; position: number };
  edition_articles: {
    edition_id: number;
    position: number;
    article_id: number;
    tag_ids: number[];
    snapshot: JSONColumnType<object>;
  };
  left_out_articles: { edition_id: number; article_id: number; tag_ids: number[]; snapshot: JSONColumnType<object> };
  link_checks: {
    article_id: number;
    url: string;
    verdict: "fine" | "broken" | "unsure";
    said: string | null;
    checked_at: Date;
  };
  subscribers: SubscriberTable;
  subscriber_tags: { subscriber_id: number; tag_id: number };
  consents: ConsentTable;
  suppressions: {
    address_hash: Buffer;
    reason: string;
    detail: string | null;
    created_at: Date;
    /** The edition whose email the relay rejected. */
    edition_id: number | null;
  };
  cohorts: { id: Generated<number>; edition_id: number; positions: number[]; readers: number };
  deliveries: DeliveryTable;
  signups: SignupTable;
  notices: NoticeTable;
  address_changes: {
    id: Generated<number>;
    key: Buffer;
    subscriber_id: number;
    address: string;
    address_key: string;
    created_at: Date;
    requested_from: string | null;
  };
  alerts: {
    id: Generated<number>;
    kind: string;
    subject: string;
    sentence: string;
    seen_at: Date;
    told_at: Date | null;
    cleared_at: Date | null;
  };
  alert_calls: { id: string; body: string; attempts: Generated<number>; due_at: Date; created_at: Date };
  senders: { id: string; host: string; pid: number; started_at: Date; beat_at: Date };
  schedule: {
    one: Generated<boolean>;
    since: Date;
    send_at: string | null;
    send_days: number[] | null;
    timezone: string | null;
    effective: JSONColumnType<{ timezone: string; sendAt: string; sendDays: number[] }>;
  };
  /** The table of rate-limiter-flexible; `expire` in milliseconds since 1970. */
  caps: { key: string; points: Generated<number>; expire: number | null };
  skipped_dates: { date: string; created_at: Date };
  moved_dates: { date: string; send_at: string; created_at: Date };
  drafts: DraftTable;
  tokens: {
    id: Generated<number>;
    name: string;
    hash: Buffer;
    role: Generated<Role>;
    created_at: Date;
    expires_at: Date | null;
    used_at: Date | null;
    revoked_at: Date | null;
    /** Who created it, or created the token that created it. */
    operator_id: number | null;
  };
  operators: OperatorTable;
  operator_sessions: {
    id: Generated<number>;
    operator_id: number;
    hash: Buffer;
    created_at: Date;
    seen_at: Date;
    came_from: string;
    agent: string;
  };
  operator_recovery_codes: {
    id: Generated<number>;
    operator_id: number;
    hash: string;
    created_at: Date;
    used_at: Date | null;
    used_from: string | null;
    seen_at: Date | null;
  };
  operator_links: { hash: Buffer; operator_id: number | null; created_at: Date; expires_at: Date | null };
  audit: {
    id: Generated<number>;
    at: Date;
    actor: string;
    action: string;
    subject: string;
    detail: JSONColumnType<object>;
    came_from: string | null;
  };
}

interface OperatorTable {
  id: Generated<number>;
  name: string;
  name_key: string;
  role: Role;
  password: string | null;
  totp_salt: Buffer | null;
  totp_step: number | null;
  created_at: Date;
  signed_in_at: Date | null;
  disabled_at: Date | null;
}

interface SourceTable {
  id: Generated<number>;
  kind: "feed" | "api";
  url: string | null;
  title: string | null;
  extra_tags: Generated<string[]>;
  renamed_tags: JSONColumnType<Record<string, string>, string | undefined, string>;
  etag: string | null;
  last_modified: string | null;
  checked_at: Date | null;
  succeeded_at: Date | null;
  last_error: string | null;
  /** What could not be ingested from the last document. The source counts as healthy. */
  problem: string | null;
  failures: Generated<number>;
  next_check_at: Date;
  /** The server's Retry-After. */
  wait_until: Date | null;
  created_at: Date;
}

interface EditionTable {
  id: Generated<number>;
  date: string;
  number: number;
  state: EditionState;
  timezone: string;
  due_at: Date;
  opened_at: Date;
  frozen_at: Date | null;
  sending_at: Date | null;
  closed_at: Date | null;
  expires_at: Date | null;
  /** With its data, why the edition is in its state. The column `reason` is for nodes of the release before. */
  reason_code: ReasonCode | null;
  reason_data: JSONColumnType<object> | null;
  articles: Generated<number>;
  readers: Generated<number>;
  unmatched: Generated<number>;
  selected: Generated<number>;
  slices: Generated<number>;
  stencil: JSONColumnType<object> | null;
  /** The domain of its Message-IDs; set with the first email. */
  mail_domain: string | null;
  introduction: string | null;
  subject: string | null;
  approve_by: Date | null;
  /** Who approved it, or `dayletter` at the deadline. */
  approved_by: string | null;
  /** An operator has resumed it despite many invalid addresses. */
  gone_accepted: Generated<boolean>;
}

interface DraftTable {
  id: Generated<number>;
  date: string;
  edition_id: number | null;
  revision: Generated<number>;
  introduction: string | null;
  subject: string | null;
  first: Generated<number[]>;
  left_out: Generated<number[]>;
  words: JSONColumnType<Record<string, { title?: string; summary?: string }>, string | undefined, string>;
  changed_at: Date;
  changed_by: string;
}

interface ArticleTable {
  id: Generated<number>;
  source_id: number | null;
  url: string;
  url_key: string;
  title: string;
  summary: string;
  origin_name: string | null;
  origin_url: string | null;
  published_at: Date | null;
  first_seen_at: Date;
  eligible_at: Date;
  changed_at: Date;
  backlog: Generated<boolean>;
  hidden: Generated<boolean>;
  edition_id: number | null;
}

export type SubscriberStatus = "pending" | "active" | "unsubscribed" | "suppressed";

interface SubscriberTable {
  id: Generated<number>;
  key: Buffer;
  address: string;
  address_key: string;
  status: SubscriberStatus;
  all_tags: Generated<boolean>;
  timezone: string | null;
  paused_until: Date | null;
  created_at: Date;
  confirmed_at: Date | null;
  left_at: Date | null;
}

interface ConsentTable {
  id: Generated<number>;
  subscriber_id: number;
  /** The key in the confirmation link; null if none was sent. */
  key: Buffer | null;
  method: string;
  wording: string | null;
  wording_version: string | null;
  /** Names at the time of the sign-up. */
  tags: string[];
  tag_ids: Generated<number[]>;
  all_tags: Generated<boolean>;
  timezone: string | null;
  form_url: string | null;
  requested_at: Date;
  requested_from: string | null;
  confirmed_at: Date | null;
  confirmed_from: string | null;
}

interface DeliveryTable {
  id: Generated<number>;
  edition_id: number;
  subscriber_id: number | null;
  cohort_id: number;
  slice: number;
  tag_ids: number[];
  state: Generated<DeliveryState>;
  attempts: Generated<number>;
  claim: string | null;
  claimed_at: Date | null;
  due_at: Date | null;
  /** The reader's own delivery time, if it differs from the publication's. */
  leaves_at: Date | null;
  settled_at: Date | null;
  domain: string;
  reply: string | null;
}

interface SignupTable {
  id: Generated<number>;
  address: string;
  address_key: string;
  tag_ids: number[];
  all_tags: boolean;
  timezone: string | null;
  form_url: string | null;
  wording_version: string;
  requested_at: Date;
  requested_from: string | null;
  taken_at: Date | null;
}

export type NoticeKind = "confirm" | "already" | "welcome" | "sample" | "change" | "alert" | "settings" | "moved";

interface NoticeTable {
  id: Generated<number>;
  kind: NoticeKind;
  subscriber_id: number | null;
  address: string;
  consent_id: number | null;
  payload: JSONColumnType<Record<string, unknown>>;
  state: Generated<DeliveryState>;
  attempts: Generated<number>;
  claim: string | null;
  claimed_at: Date | null;
  due_at: Date;
  created_at: Date;
  expires_at: Date;
  settled_at: Date | null;
  /** Why this program did not send it: a `NoticeReason`. */
  reason_code: string | null;
  reply: string | null;
}

export type Db = Kysely<Schema>;
export type Tx = Transaction<Schema>;
