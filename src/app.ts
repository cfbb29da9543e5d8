import { randomUUID } from "node:crypto";
import { createCaps, type Caps, openCounters } from "./abuse/caps.ts";
import { createSignInCaps, type SignInCaps } from "./abuse/sign-in.ts";
import { systemClock, type Clock } from "./base/clock.ts";
import { closeInReverse } from "./base/async.ts";
import { watchEngine, type EngineWatch } from "./base/engine-watch.ts";
import type { Log } from "./base/log.ts";
import { withoutAddress } from "./base/address.ts";
import { noTrace, type Trace } from "./base/trace.ts";
import { savedSettings, type Config, type SettingsSource } from "./config/load.ts";
import { unchangeable, type SavedSettings } from "./config/saved-settings.ts";
import { lockDataFolder } from "./db/lock.ts";
import type { Database } from "./db/open.ts";
import type { Db } from "./db/schema.ts";
import { deliveryTable, type DeliveryLedger } from "./deliveries/claims.ts";
import { createGoneWatch, createPolicyWatch, type PolicyWatch } from "./deliveries/watches.ts";
import { keepMessageBuilders, openMessageBuilder, type MessageBuilder } from "./editions/message-builder.ts";
import { pauseForGone, pauseForPolicy } from "./editions/auto-pause.ts";
import { reopenEditions } from "./editions/state.ts";
import { createSampleStencils, type SampleStencils } from "./editions/sample.ts";
import { openDatabase, openTransport, queuePlace } from "./engines.ts";
import type { Transport } from "./mail/transport.ts";
import { callsAtOnce, callTable, type CallLedger } from "./alerts/calls.ts";
import { ensureSetup } from "./operators/links.ts";
import { openStored } from "./db/stored-settings.ts";
import { keepPrivate, ensureSecret, ensureToken } from "./operators/data-folder.ts";
import { type ResolveMx, systemResolver } from "./providers/look-up.ts";
import { createProviders, type Providers } from "./providers/providers.ts";
import { writeOwnDomains } from "./providers/store.ts";
import { createReportSources, type ReportSources } from "./outcomes/report-sources.ts";
import { connectQueue, type QueueConnection } from "./queue/connection.ts";
import type { Wake } from "./queue/contract.ts";
import { createWake, openQueues, type Queues } from "./queue/queues.ts";
import { areChecked, shippedTemplates, loadTemplates } from "./render/templates.ts";
import { checkNoticeTemplates, openNoticeBuilder, type NoticeBuilder } from "./render/notice.ts";
import { publicationOf } from "./render/publication.ts";
import type { EmailTemplates, Publication } from "./render/types.ts";
import { ensureSchedule, loadSchedule } from "./schedule/store.ts";
import { countSenders } from "./ledger/dead-senders.ts";
import { createLedger } from "./ledger/ledger.ts";
import { openLimitStore } from "./ledger/limit-store.ts";
import { openFeedParser, type ParseSource, withDefaultZone } from "./sources/parser-thread.ts";
import { pollAll } from "./sources/poll.ts";
import { fetchDocument } from "./sources/fetch-document.ts";
import type { FetchDeps } from "./sources/fetch.ts";
import { addFeeds } from "./sources/store.ts";
import { noticeTable, type NoticeLedger } from "./subscribers/notices.ts";
import { bounce, suppress } from "./subscribers/suppressions.ts";
import type { Reason } from "./base/errors.ts";
import { openWording, type Wording } from "./texts/catalogue.ts";

/** How long an edition waits for its sources' last articles. */
const gatherMs = 20_000;
/** For outcomes that could not be written yet. */
const lastWordsMs = 1_000;

/** Everything a use case may ask for, in one flat object; each takes the part it names. */
export interface App {
  config: Config;
  /** What this process was started as, such as `serve`. */
  role: string;
  /** The settings, and the secret whether set or made. */
  options: Config & { secret: string };
  /** For the pages that change settings. */
  settings: SavedSettings;
  /** Why settings that were changed on a page were taken back: the server could not be opened with them. */
  settingsFailure: Reason | null;
  /** Restarts with the current settings; null where the process has to be restarted from outside. */
  reopen: (() => void) | null;
  clock: Clock;
  log: Log;
  trace: Trace;
  database: Database;
  db: Db;
  queue: QueueConnection;
  queues: Queues;
  /** Whether the servers behind `db` and `queue` answer. */
  engines: { records: EngineWatch; queue: EngineWatch };
  wake: Wake;
  /** This process's name in `senders`. */
  sender: string;
  transport: Transport;
  ledger: DeliveryLedger;
  noticeLedger: NoticeLedger;
  callLedger: CallLedger;
  /** Writes down the last outcomes of all three, trying for up to `limitMs`. */
  closeLedgers(limitMs: number): Promise<void>;
  fetch: FetchDeps;
  /** Fetches a small document from the public Internet, without redirects. */
  fetchDocument(url: string): Promise<Uint8Array>;
  parse: ParseSource;
  /** Looks whether an edition has suppressed too many addresses, now that there are `more`. */
  noteGone(editionId: number, more: number): void;
  /** Remembers that a way in has reported a bounce or complaint. */
  noteReport: ReportSources["note"];
  caps: Caps;
  signIns: SignInCaps;
  publication: Publication;
  /** The texts of readers' pages, in the publication's language. */
  words: Wording;
  templates(): Promise<EmailTemplates>;
  /** Composes notices with the present templates. */
  notices(): Promise<NoticeBuilder>;
  gather(): Promise<void>;
  /** Whether an unconfirmed address may get another email. */
  mayMail: Caps["mayMail"];
  builder(editionId: number): Promise<MessageBuilder | null>;
  samples: SampleStencils;
  providers: Providers;
  resolveMx: ResolveMx;
  watch: PolicyWatch["note"];
  /** Closes what this opened, in the opposite order. */
  close(graceMs?: number): Promise<void>;
}

/** The settings that count: those of an embedded database are in its data folder, and the others in the database. */
async function openSettings(
  deps: { db: Db; log: Log },
  given: Config,
  source: SettingsSource | undefined,
): Promise<{ config: Config; settings: SavedSettings }> {
  if (!source) return { config: given, settings: unchangeable };
  if (given.embedded.records) return { config: given, settings: savedSettings(given, source) };
  return openStored(deps, source);
}

/**
 * Opens the engines that the settings name and puts the parts together; starts nothing.
 * @param given the settings of this machine; the database can have others
 * @param command what the process is started as, such as `serve`
 * @throws Refusal when another process holds the data folder, the database is newer, or the template does not compile
 */
export async function openApp(
  given: Config,
  deps: {
    log: Log;
    command: string;
    clock?: Clock;
    /** Where the settings come from. Without it, they cannot be changed on a page. */
    source?: SettingsSource;
    reopen?: () => void;
    /** Asks for MX records; this machine's name servers if left out. */
    resolveMx?: ResolveMx;
    /** Over the network if left out. */
    fetchDocument?: App["fetchDocument"];
    settingsFailure?: Reason | null;
  },
): Promise<App> {
  const { log, command, clock = systemClock, source } = deps;
  const closing: (() => unknown)[] = [];
  const close = (): Promise<void> => closeInReverse(closing, log);
  try {
    const templateFolder = shippedTemplates;
    const templates = (): Promise<EmailTemplates> => loadTemplates(templateFolder);
    if (!areChecked(templateFolder)) {
      await templates();
      await checkNoticeTemplates(templateFolder);
    }
    if (given.embedded.records) closing.push(await lockDataFolder(given.dataDir, command));
    await keepPrivate(given.dataDir, log, given.logo ? [given.logo.name] : []);
    const database = await openDatabase(given);
    closing.push(() => database.close());
    const { db } = database;
    const { config, settings } = await openSettings({ db, log }, given, source);
    const options = { ...config, secret: ensureSecret(config) };
    // A worker on another machine has no API, and its data folder is not where anybody would look for the token.
    if (command !== "worker") {
      await ensureToken({ db, clock, log }, config);
      await ensureSetup({ db, clock, options });
    }
    await ensureSchedule(db, config, clock.now());
    await addFeeds(
      db,
      config.sources.map((url) => ({ url })),
      clock.now(),
    );

    // Loaded only where it is wanted, so that it costs nothing elsewhere.
    const tracing = config.traces ? (await import("./alerts/tracing.ts")).openTracing(log) : null;
    const trace = tracing?.trace ?? noTrace;
    if (tracing) closing.push(() => tracing.flush());
    const queue = connectQueue(queuePlace(config, database), tracing?.telemetry);
    closing.push(() => queue.close());
    const engines = {
      records: watchEngine({ name: "PostgreSQL", probe: () => database.ping(), log }),
      queue: watchEngine({ name: config.redisUrl === null ? "The queue" : "Redis", probe: () => queue.ping(), log }),
    };
    closing.push(() => Object.values(engines).forEach((watch) => watch.close()));
    database.pool.on("error", () => engines.records.suspect());
    const queues = openQueues(queue, { log, watch: engines.queue });
    closing.push(() => Promise.all(Object.values(queues).map((one) => one.close())));
    const counters = openCounters({ pool: database.pool, redisUrl: config.redisUrl });
    closing.push(() => counters.close());
    const caps = createCaps(counters, options.secret);
    const wake = createWake(queues, { log, watch: engines.queue });
    const sender = randomUUID();
    const limits = openLimitStore(db, sender);
    const transport = await openTransport(config, { clock, log, returned: () => void wake("recover", {}), limits });
    const fetch = { allowPrivate: config.allowPrivateSources, userAgent: `Dayletter (+${config.publicUrl})` };
    const parser = openFeedParser();
    closing.push(() => parser.close());
    const parse = withDefaultZone(parser.parse, async () => (await loadSchedule(db)).timezone);
    const publication = publicationOf(config);
    const policy = createPolicyWatch((id, reply) => void pauseForPolicy(app, id, reply));
    await writeOwnDomains(db);
    const providers = createProviders({
      db,
      clock,
      log,
      wake,
      connections: transport.connections,
      share: () => transport.share(),
      workers: () => countSenders(db),
      blocked(name) {
        policy.forget(name);
        // Raises the alert.
        void wake("recover", {});
      },
    });
    const noteGone = createGoneWatch((id) => void pauseForGone(app, id));
    const reportSources = createReportSources({ db, clock });
    closing.push(() => reportSources.close());
    const ledgerDeps = { db, clock, log, sender };
    const app: App = {
      config,
      role: command,
      options,
      settings,
      reopen: deps.reopen ?? null,
      settingsFailure: deps.settingsFailure ?? null,
      clock,
      log,
      trace,
      database,
      db,
      queue,
      queues,
      engines,
      wake,
      sender,
      transport,
      ledger: createLedger({
        ...ledgerDeps,
        most: 2 * config.smtpConnections,
        table: deliveryTable({
          suppress: (tx, { reply, ...gone }) =>
            suppress(tx, options.secret, { ...gone, reason: bounce, detail: withoutAddress(reply), source: "relay" }),
          reopen: reopenEditions,
          suppressed: noteGone,
        }),
      }),
      noticeLedger: createLedger({ ...ledgerDeps, most: 2 * config.smtpConnections, table: noticeTable }),
      callLedger: createLedger({ ...ledgerDeps, most: 2 * callsAtOnce, table: callTable }),
      async closeLedgers(limitMs) {
        await Promise.all([app.ledger, app.noticeLedger, app.callLedger].map((ledger) => ledger.close(limitMs)));
        await providers.close(limitMs);
      },
      fetch,
      fetchDocument: deps.fetchDocument ?? ((url) => fetchDocument({ ...fetch, allowPrivate: false }, url)),
      parse,
      noteGone,
      noteReport: reportSources.note,
      caps,
      signIns: createSignInCaps(counters, options.secret),
      mayMail: caps.mayMail,
      publication,
      words: openWording(config.language),
      templates,
      notices: () => openNoticeBuilder(templateFolder, publication),
      gather: () => trace("gather", {}, () => pollAll({ db, clock, log, trace, fetch, parse }, gatherMs)),
      builder: keepMessageBuilders((id) => openMessageBuilder({ db, options, publication }, id)),
      samples: createSampleStencils({ publication, templates, templateFolder }),
      providers,
      resolveMx: deps.resolveMx ?? systemResolver(),
      watch: policy.note,
      async close(graceMs = 10_000) {
        await transport.close(graceMs);
        await app.closeLedgers(lastWordsMs);
        await close();
      },
    };
    return app;
  } catch (error) {
    await close();
    throw error;
  }
}
