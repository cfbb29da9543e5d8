import type { Generated, JSONColumnType, Kysely, Transaction } from "kysely";
import type { StoredReason } from "../base/errors.ts";
import type { EditionWarmUp } from "../deliveries/warm-up.ts";
import type { ReadError } from "../sources/store.ts";
import type { LinkResult } from "../editions/links.ts";
import type { ReasonCode } from "./edition-reason.ts";
import type { EditionState } from "../editions/state.ts";
import type { QuotaPeriod } from "../mail/quota.ts";
import type { FaultData } from "../mail/verdict.ts";
import type { ProviderState } from "../providers/state.ts";
import type { Role } from "../operators/roles.ts";
import type { BounceKind } from "../outcomes/bounce-kind.ts";
import type { LaterOutcome, OutcomeSource } from "../outcomes/store.ts";
import type { SuppressionSource } from "../subscribers/suppressions.ts";
import type { OutcomeCode } from "../ledger/outcome.ts";
import type { DeliveryState } from "../ledger/state.ts";
import type { QuestionCause, QuestionOutcome } from "./values.ts";
import type { Message } from "../texts/catalogue.ts";

/** The tables of `migrations/`, as Kysely sees them. A `string` that holds a local date is `YYYY-MM-DD`. */
export interface Schema {
  sources: SourceTable;
  tags: {
    id: Generated<number>;
    key: string;
    name: string;
    created_at: Date;
    hidden_at: Date | null;
    /** When a reader asked for the tag; null once an article has had it. */
    requested_at: Generated<Date | null>;
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
    result: JSONColumnType<LinkResult> | null;
    checked_at: Date;
  };
  settings: { name: string; value: string; content: Buffer | null };
  subscribers: SubscriberTable;
  subscriber_tags: { subscriber_id: number; tag_id: number };
  consents: ConsentTable;
  suppressions: {
    address_hash: Buffer;
    reason: string;
    detail: string | null;
    created_at: Date;
    /** The edition whose email was refused or reported. */
    edition_id: number | null;
    /** Who said so; null for an operator, a list, and a reader who was erased. */
    source: SuppressionSource | null;
  };
  cohorts: { id: Generated<number>; edition_id: number; positions: number[]; readers: number };
  deliveries: DeliveryTable;
  delivery_outcomes: {
    edition_id: number;
    delivery_id: number;
    outcome: LaterOutcome;
    kind: BounceKind | null;
    code: string | null;
    /** Without addresses. */
    text: string | null;
    source: OutcomeSource;
    guess: boolean;
    happened_at: Date;
    recorded_at: Date;
  };
  outcome_counts: {
    edition_id: number;
    hard: Generated<number>;
    soft: Generated<number>;
    policy: Generated<number>;
    complained: Generated<number>;
    gone: Generated<number>;
    spared: Generated<number>;
    refusals_read: Generated<boolean>;
  };
  report_sources: {
    source: OutcomeSource;
    first_at: Date;
    last_at: Date;
    reports: number;
    /** Days (UTC) with reports. */
    days: number;
    /** Seconds between two of them, as a moving average; null until the second one. */
    usual_pause: number | null;
  };
  signups: SignupTable;
  notices: NoticeTable;
  questions: {
    id: Generated<number>;
    /** null when the reader was erased. */
    subscriber_id: number | null;
    notice_id: number | null;
    cause: QuestionCause;
    asked_at: Date;
    sent_at: Date | null;
    outcome: QuestionOutcome | null;
    closed_at: Date | null;
  };
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
    data: JSONColumnType<object>;
    seen_at: Date;
    notified_at: Date | null;
    cleared_at: Date | null;
  };
  alert_calls: {
    id: string;
    body: string;
    state: Generated<DeliveryState>;
    attempts: Generated<number>;
    claim: string | null;
    claimed_at: Date | null;
    due_at: Date | null;
    created_at: Date;
    settled_at: Date | null;
    reason_code: OutcomeCode | null;
    reason_data: JSONColumnType<FaultData> | null;
    reply: string | null;
  };
  senders: { id: string; host: string; pid: number; started_at: Date; beat_at: Date };
  providers: {
    name: string;
    state: ProviderState;
    until: Date | null;
    width: number | null;
    failures: number;
    /** The last reply that changed it, without addresses. */
    reply: string | null;
    changed_at: Date;
    version: number;
  };
  /** `expires_at` is null for a domain of the program's own table. */
  provider_domains: { domain: string; provider: string; looked_up_at: Date | null; expires_at: Date | null };
  provider_hours: {
    provider: string;
    hour: Date;
    accepted: number;
    deferred: number;
    refused: number;
    minute: Date;
    this_minute: number;
    last_minute: number;
    /** Of the emails accepted in this hour: bounces by kind, and complaints. */
    hard: Generated<number>;
    soft: Generated<number>;
    policy: Generated<number>;
    complained: Generated<number>;
  };
  sending_limits: {
    one: Generated<boolean>;
    next_at: Date;
    slowed_at: Date | null;
    slowed_rate: number | null;
    slowed_full: number | null;
    paused_at: Date | null;
    paused_until: Date | null;
    pause_reason: string | Message | null;
    pause_failures: number | null;
    pause_quota: QuotaPeriod | null;
    probe_by: string | null;
    probe_until: Date | null;
  };
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
  /** For dates without a zone; null for the publication's time zone. */
  timezone: string | null;
  split_tags: Generated<boolean>;
  etag: string | null;
  last_modified: string | null;
  checked_at: Date | null;
  succeeded_at: Date | null;
  read_error: JSONColumnType<ReadError, string | null, string | null> | null;
  /** What could not be ingested from the last document. The source counts as healthy. */
  problems: JSONColumnType<StoredReason[], string | undefined, string>;
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
  /** How many deliveries were in each state when retention removed them. */
  final_counts: JSONColumnType<Record<DeliveryState, number>> | null;
  /** The day of the warm-up that its date was, and how many of its readers that left out; null without a cap. */
  warm_up: JSONColumnType<EditionWarmUp> | null;
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
  picture_url: string | null;
  picture_alt: string | null;
  picture_width: number | null;
  picture_height: number | null;
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
  /** The reader's last act that no other column has, such as a change of tags. */
  acted_at: Date | null;
  /** Since when a reader who did not answer a question is paused, and why they were asked. */
  paused_since: Date | null;
  paused_for: QuestionCause | null;
  /** As in `suppressions`; null until it is needed. */
  address_hash: Buffer | null;
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
  /** Why this program, not the relay, gave the delivery its state. */
  reason_code: OutcomeCode | null;
  reason_data: JSONColumnType<FaultData> | null;
  /** The relay's last reply. */
  reply: string | null;
}

interface SignupTable {
  id: Generated<number>;
  address: string;
  address_key: string;
  tag_ids: number[];
  /** Names of tags that no article has had yet. */
  new_tags: Generated<string[]>;
  all_tags: boolean;
  timezone: string | null;
  form_url: string | null;
  wording_version: string;
  requested_at: Date;
  requested_from: string | null;
  taken_at: Date | null;
}

export type NoticeKind =
  | "confirm"
  | "already"
  | "welcome"
  | "sample"
  | "change"
  | "alert"
  | "test"
  | "settings"
  | "moved"
  | "question";

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
  due_at: Date | null;
  created_at: Date;
  expires_at: Date;
  settled_at: Date | null;
  /** Why this program, not the relay, gave it its state. */
  reason_code: OutcomeCode | null;
  reason_data: JSONColumnType<FaultData> | null;
  /** The relay's last reply. */
  reply: string | null;
}

export type Db = Kysely<Schema>;
export type Tx = Transaction<Schema>;
