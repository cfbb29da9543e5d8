import { randomUUID } from "node:crypto";
import { createCaps, type Caps } from "./abuse/caps.ts";
import { openCounters } from "./abuse/counters.ts";
import { createSignInCaps, type SignInCaps } from "./abuse/sign-in.ts";
import { systemClock, type Clock } from "./base/clock.ts";
import { closeInReverse } from "./base/close-in-reverse.ts";
import { watchEngine, type EngineWatch } from "./base/engine-watch.ts";
import type { Log } from "./base/log.ts";
import { withoutAddress } from "./base/mask-address.ts";
import { noTrace, type Trace } from "./base/trace.ts";
import type { Config } from "./config/load.ts";
import { openOwn, type OwnSettings } from "./config/own.ts";
import { lockDataFolder } from "./db/lock.ts";
import type { Database } from "./db/open.ts";
import type { Db } from "./db/schema.ts";
import { createGoneWatch } from "./deliveries/gone.ts";
import { createLedger, type Ledger } from "./deliveries/ledger.ts";
import { createPolicyWatch } from "./deliveries/policy-watch.ts";
import { keepMessageBuilders, openMessageBuilder, type MessageBuilder } from "./editions/message-builder.ts";
import { pauseForGone, pauseForPolicy } from "./editions/pause-itself.ts";
import { reopenEditions } from "./editions/state.ts";
import { createSampleStencils, type SampleStencils } from "./editions/sample-stencils.ts";
import { openDatabase, openTransport, queuePlace } from "./engines.ts";
import type { Transport } from "./mail/transport.ts";
import { ensureSetup } from "./operators/links.ts";
import { keepPrivate } from "./operations/private-folder.ts";
import { ensureSecret, ensureToken } from "./operations/keys.ts";
import { connectQueue, type QueueConnection } from "./queue/connection.ts";
import type { Wake } from "./queue/contract.ts";
import { createWake, openQueues, type Queues } from "./queue/queues.ts";
import { areChecked, shippedTemplates } from "./render/checked.ts";
import { checkNoticeTemplates, openNoticeBuilder, type NoticeBuilder } from "./render/notice.ts";
import { publicationOf } from "./render/publication.ts";
import { loadTemplates } from "./render/templates.ts";
import type { EmailTemplates, Publication } from "./render/types.ts";
import { ensureSchedule } from "./schedule/store.ts";
import { openFeedParser, type ParseFeed } from "./sources/parser.ts";
import { pollAll } from "./sources/poll.ts";
import type { FetchDeps } from "./sources/fetch.ts";
import { addFeeds } from "./sources/store.ts";
import { bounce, suppress } from "./subscribers/suppressions.ts";
import { openWording, type Wording } from "./wording/catalogue.ts";

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
  /** For the page that changes settings. */
  settings: OwnSettings;
  /** Why settings that were changed on a page were taken back: the server could not be opened with them. */
  wentBack: string | null;
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
  ledger: Ledger;
  fetch: FetchDeps;
  parse: ParseFeed;
  caps: Caps;
  signIns: SignInCaps;
  publication: Publication;
  /** What readers read outside their mails, in the publication's language. */
  words: Wording;
  templates(): Promise<EmailTemplates>;
  /** Prints single mails by the templates as they are now. */
  notices(): Promise<NoticeBuilder>;
  gather(): Promise<void>;
  /** Whether an address may get one more mail that it has not proven to want. */
  mayMail: Caps["mayMail"];
  builder(editionId: number): Promise<MessageBuilder | null>;
  samples: SampleStencils;
  watch: ReturnType<typeof createPolicyWatch>;
  /** Closes what this opened, in the opposite order. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Opens the engines that the settings name and puts the parts together; starts nothing.
 * @param command what the process is started as, such as `serve`
 * @throws Refusal when another process holds the data folder, the database is newer, or the template does not compile
 */
export async function openApp(
  config: Config,
  deps: {
    log: Log;
    command: string;
    clock?: Clock;
    settings?: OwnSettings;
    reopen?: () => void;
    wentBack?: string | null;
  },
): Promise<App> {
  const { log, command, clock = systemClock } = deps;
  const closing: (() => unknown)[] = [];
  const close = (): Promise<void> => closeInReverse(closing, log);
  try {
    const templateFolder = shippedTemplates;
    const templates = (): Promise<EmailTemplates> => loadTemplates(templateFolder);
    if (!areChecked(templateFolder)) {
      await templates();
      await checkNoticeTemplates(templateFolder);
    }
    if (config.embedded.records) closing.push(await lockDataFolder(config.dataDir, command));
    await keepPrivate(config.dataDir, log, config.logo ? [config.logo.name] : []);
    const database = await openDatabase(config);
    closing.push(() => database.close());
    const { db } = database;
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
    const tracing = config.traces ? (await import("./operations/tracing.ts")).openTracing(log) : null;
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
    const transport = openTransport(config, { clock, log, returned: () => void wake("recover", {}) });
    const sender = randomUUID();
    const fetch = { allowPrivate: config.allowPrivateSources, userAgent: `Dayletter (+${config.publicUrl})` };
    const { parse, close: closeParser } = openFeedParser();
    closing.push(closeParser);
    const publication = publicationOf(config);
    const app: App = {
      config,
      role: command,
      options,
      settings: deps.settings ?? unchangeable(config),
      reopen: deps.reopen ?? null,
      wentBack: deps.wentBack ?? null,
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
        db,
        clock,
        log,
        sender,
        connections: config.smtpConnections,
        suppress: (tx, { reply, ...gone }) =>
          suppress(tx, options.secret, { ...gone, reason: bounce, detail: withoutAddress(reply) }),
        reopen: reopenEditions,
        suppressed: createGoneWatch((id) => void pauseForGone(app, id)),
      }),
      fetch,
      parse,
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
      watch: createPolicyWatch((id, reply) => void pauseForPolicy(app, id, reply)),
      async close(graceMs = 10_000) {
        await transport.close(graceMs);
        await app.ledger.close(lastWordsMs);
        await close();
      },
    };
    return app;
  } catch (error) {
    await close();
    throw error;
  }
}

function unchangeable({ dataDir }: Config): OwnSettings {
  return openOwn({ dataDir, writable: false, fixed: new Set(), check: () => undefined });
}
