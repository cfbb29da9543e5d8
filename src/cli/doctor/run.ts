import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { silentLog } from "../../base/log.ts";
import { packageRoot } from "../../package-root.ts";
import type { Config } from "../../config/load.ts";
import type { Db } from "../../db/schema.ts";
import { nextSends, type Schedule } from "../../schedule/calendar.ts";
import { createSmtpTransport } from "../../mail/transport.ts";
import { loadTemplates } from "../../render/templates.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { englishWording } from "../../wording/catalogue.ts";
import { shownUrl } from "../../sources/address.ts";
import { problemText } from "../../sources/parse-document.ts";
import { fetchFeed, type FetchDeps } from "../../sources/fetch.ts";
import { openFeedParser, type ParseFeed } from "../../sources/parser.ts";
import { listSources } from "../../sources/store.ts";
import type { SourceAnswer } from "../answers.ts";
import { createClient } from "../client.ts";
import { plural } from "../format.ts";
import { findServer } from "../server-place.ts";
import { fail, ok, warn, type Check } from "./check.ts";
import { checkDns, type Lookup } from "./dns.ts";
import { checkQueue } from "./queue.ts";
import { openRecords, type Records } from "./records.ts";
import { checkDataFolder, checkPublicUrl } from "./settings.ts";

export interface DoctorDeps {
  clock: Clock;
  /** The default is the system's name server. */
  lookup?: Lookup;
}

/** Checks everything that Dayletter depends on, one after the other. Sends no email and starts no server. */
export async function* examine(config: Config, deps: DoctorDeps): AsyncGenerator<Check> {
  const now = deps.clock.now();
  yield ok("settings", "All settings are valid.");
  yield checkPublicUrl(config);
  yield checkDataFolder(config.dataDir);
  const records = await openRecords(config, now);
  try {
    yield* records.checks;
    if (records.held) yield await checkServer(config);
    yield* await checkQueue(config);
    yield await checkRelay(config, deps.clock);
    yield await checkTemplates();
    yield* records.held ? servedSources(config) : checkSources(config, await sourceUrls(config, records));
    yield* await checkDns(config.mailFrom.address, deps.lookup);
    yield checkTimes(await scheduleOf(config, records.database?.db ?? null), now);
  } finally {
    await records.close();
  }
}

/** Only one process can open the embedded database, so this asks the running server. */
async function checkServer(config: Config): Promise<Check> {
  const name = "records";
  try {
    const client = createClient(findServer(config));
    await client.ask("GET", "/status", { timeoutMs: 10_000 });
    return ok(name, `Embedded database, in use by the server at ${client.url}, which answers.`);
  } catch (error) {
    return fail(name, `The process that uses ${config.dataDir} does not answer. ${reasonOf(error)}`);
  }
}

async function checkRelay(config: Config, clock: Clock): Promise<Check> {
  if (config.smtp === null)
    return ok("relay", "No relay is set, so emails are written to the outbox. To send them, set SMTP_URL.");
  const transport = createSmtpTransport({ clock, log: silentLog }, { ...config.smtp, connections: 1, rate: null });
  try {
    const result = await transport.check();
    if (!result.ok) return fail("relay", result.refusal.message);
    return ok("relay", englishWording().say(result.key, result.details));
  } finally {
    await transport.close(0);
  }
}

async function checkTemplates(): Promise<Check> {
  try {
    await loadTemplates(join(packageRoot, "templates/email"));
    return ok("templates", "The templates in templates/email compile.");
  } catch (error) {
    return fail("templates", reasonOf(error));
  }
}

async function sourceUrls(config: Config, { database }: Records): Promise<string[]> {
  const known = database ? (await listSources(database.db)).flatMap((source) => source.url ?? []) : [];
  return [...new Set([...config.sources, ...known])];
}

/** What the running server found when it last read its sources. It returns URLs without passwords. */
async function* servedSources(config: Config): AsyncGenerator<Check> {
  const asked = createClient(findServer(config)).ask<{ sources: SourceAnswer[] }>("GET", "/sources");
  const { sources } = await asked.catch(() => ({ sources: [] })); // An earlier check has reported that the server does not answer.
  for (const { kind, url, title, healthy, lastError, problem } of sources) {
    if (kind !== "feed" || url === null) continue;
    if (lastError === null && problem !== null) yield warn("source", `${title ?? shownUrl(url)}: ${problem}`);
    else if (lastError === null) yield ok("source", `The server can read ${title ?? shownUrl(url)}.`);
    else yield (healthy ? warn : fail)("source", lastError);
  }
}

async function* checkSources(config: Config, urls: readonly string[]): AsyncGenerator<Check> {
  if (urls.length === 0) {
    yield warn(
      "sources",
      "No sources yet. Run `dayletter sources add https://your-site.example/feed.xml`, or set SOURCES.",
    );
  }
  const deps = { allowPrivate: config.allowPrivateSources, userAgent: `Dayletter (+${config.publicUrl})` };
  const parser = openFeedParser();
  try {
    for (const url of urls) yield await checkSource({ fetch: deps, parse: parser.parse }, url);
  } finally {
    await parser.close();
  }
}

async function checkSource(deps: { fetch: FetchDeps; parse: ParseFeed }, url: string): Promise<Check> {
  const name = "source";
  try {
    const answer = await fetchFeed(deps.fetch, { url, etag: null, lastModified: null });
    if (answer.kind === "unchanged") return ok(name, `${shownUrl(url)} answers.`);
    const { items, problems } = await deps.parse(answer);
    const moved = answer.movedTo === null ? "" : `, moved to ${shownUrl(answer.movedTo)}`;
    const found = `${shownUrl(url)}: ${plural(items.length, "article")}${moved}`;
    if (items.length === 0) return warn(name, `${found}. Check that this is the right feed.`);
    const untagged = items.filter((item) => item.tags.length === 0).length;
    if (problems.length > 0)
      return warn(name, `${found}. ${plural(problems.length, "item")} cannot be read: ${problemText(problems[0]!)}`);
    if (untagged === items.length) {
      return warn(
        name,
        `${found}, none with a tag. To add a tag to all of them, run \`dayletter sources add URL --tag TAG\`.`,
      );
    }
    return ok(name, `${found}.`);
  } catch (error) {
    return fail(name, reasonOf(error));
  }
}

async function scheduleOf(config: Config, db: Db | null): Promise<Schedule> {
  return db ? await loadSchedule(db).catch(() => fromSettings(config)) : fromSettings(config);
}

function fromSettings({ timezone, sendAt, sendDays }: Config): Schedule {
  return { timezone, sendAt, sendDays, skipped: new Set() };
}

function checkTimes(schedule: Schedule, now: Date): Check {
  const { timezone } = schedule;
  const here = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: timezone }).format(
    now,
  );
  const sends = nextSends(now, schedule, 3);
  if (sends.length === 0) return warn("times", "The schedule has no more dates. Run `dayletter schedule show`.");
  const list = sends.map((send) => send.date).join(", ");
  const notes = sends.flatMap((send) => (send.note === null ? [] : ` ${send.note}`)).join("");
  return ok("times", `It is ${here} in ${timezone}. Next editions at ${schedule.sendAt}: ${list}.${notes}`);
}
