import { formatDate } from "../../base/dates.ts";
import { openCarrier, openDkimKeys } from "../../engines.ts";
import { checkDkim, checkDns, type Lookup } from "./dns.ts";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { packageRoot } from "../../package-root.ts";
import type { Config } from "../../config/load.ts";
import { nextSends, type Schedule } from "../../schedule/calendar.ts";
import { notesInWords } from "../../texts/editions.ts";
import type { Carrier } from "../../mail/transport.ts";
import { loadTemplates } from "../../render/templates.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { englishWording, sayFailure, sayReason } from "../../texts/catalogue.ts";
import { shownUrl } from "../../sources/address.ts";
import { fetchFeed, type FetchDeps } from "../../sources/fetch.ts";
import { openFeedParser, type ParseFeed } from "../../sources/parser-thread.ts";
import { listSources } from "../../sources/store.ts";
import { sharedLimits } from "../../ledger/limit-store.ts";
import type { ScheduleAnswer, SourceAnswer, StatusAnswer } from "../../web/api/answers.ts";
import { storedValues } from "../../db/stored-settings.ts";
import { addressFile } from "../../operators/data-folder.ts";
import { readIfThere } from "../../base/private-file.ts";
import { parseSendDays } from "../../base/schedule-values.ts";
import { createClient, findServer } from "../client.ts";
import { plural } from "../format.ts";
import { fail, ok, warn, type Check, checkDataFolder, checkPublicUrl } from "./check.ts";
import { checkQueue, openRecords, type Records } from "./engines.ts";
import { checkReturnPath } from "./return-path.ts";

export interface DoctorDeps {
  clock: Clock;
  /** The default is the system's name server. */
  lookup?: Lookup;
}

/** Checks everything that Dayletter depends on, one after the other. Sends no email and starts no server. */
export async function* examine(config: Config, deps: DoctorDeps): AsyncGenerator<Check> {
  const now = deps.clock.now();
  yield ok("settings", "All settings are valid.");
  const running = runningServer(config);
  yield checkPublicUrl(config, running);
  yield checkDataFolder(config.dataDir);
  const records = await openRecords(config, now);
  try {
    yield* records.checks;
    yield* await checkPostalAddress(config, records);
    if (records.held || running !== null) yield await checkServer(config, records.held);
    yield* await checkQueue(config);
    yield await checkRelay(config);
    yield* await checkPause(config, records);
    yield await checkTemplates();
    yield* records.held ? servedSources(config) : checkSources(config, await sourceUrls(config, records));
    yield* await checkDns(config.mailFrom.address, deps.lookup);
    yield* await checkReturnPath(config, deps.lookup);
    yield* await checkSigning(config, deps.lookup);
    yield checkTimes(await scheduleOf(config, records), now);
  } finally {
    await records.close();
  }
}

/** The address that the server of this data folder has written; null if none runs. */
function runningServer({ dataDir }: Config): string | null {
  const url = readIfThere(addressFile(dataDir));
  return url !== null && URL.canParse(url) ? url : null;
}

/** The server of this data folder, whichever one DAYLETTER_URL names. */
function serverHere(config: Config): ReturnType<typeof createClient> {
  return createClient(findServer({ ...config, serverUrl: null }));
}

/** @param held only one process can open the embedded database, so its server is asked for everything */
async function checkServer(config: Config, held: boolean): Promise<Check> {
  const name = held ? "records" : "server";
  try {
    const client = serverHere(config);
    await client.request("GET", "/status", { timeoutMs: 10_000 });
    const where = `the server at ${client.url}, which answers.`;
    return ok(name, held ? `Embedded database, in use by ${where}` : `This data folder belongs to ${where}`);
  } catch (error) {
    if (!held) return warn(name, sayFailure(error));
    return fail(name, `The process that uses ${config.dataDir} does not answer. ${sayFailure(error)}`);
  }
}

async function checkRelay(config: Config): Promise<Check> {
  let carrier: Carrier | null = null;
  try {
    carrier = await openCarrier(config);
    if (carrier === null)
      return ok("relay", "No relay is set, so emails are written to the outbox. To send them, set SMTP_URL.");
    const result = await carrier.check();
    if (!result.ok) return fail("relay", sayFailure(result.refusal));
    return ok("relay", englishWording().say(result.key, result.details));
  } catch (error) {
    return fail("relay", sayFailure(error));
  } finally {
    await carrier?.close();
  }
}

/** An operator can save the address on a page, which other checks of the settings do not see. */
async function checkPostalAddress(config: Config, { database }: Records): Promise<Check[]> {
  if (!config.postalAddressMissing || database === null) return [];
  const saved = await storedValues(database.db).catch(() => ({})); // The next start creates the table.
  if ("POSTAL_ADDRESS" in saved) return [];
  return [fail("postal address", englishWording().say("status.no_postal_address"))];
}

/** What the workers know about the relay; a check without sending an email cannot find out about a quota. */
async function checkPause(config: Config, { database, held }: Records): Promise<Check[]> {
  const shown = (period: string | null, reply: string): Check[] =>
    period === null ? [] : [warn("quota", englishWording().say("doctor.relay_quota", { quota: period, reply }))];
  try {
    if (database) {
      const { pause } = (await sharedLimits(database.db)).limits;
      return pause ? shown(pause.quota, englishWording().text(pause.reason)) : [];
    }
    if (!held) return [];
    const { transport } = await serverHere(config).request<StatusAnswer>("GET", "/status", { timeoutMs: 10_000 });
    return shown(transport.quota, transport.reason ?? "");
  } catch {
    // An earlier check has reported the problem.
    return [];
  }
}

async function checkSigning(config: Config, lookup?: Lookup): Promise<Check[]> {
  if (config.dkim.length === 0) {
    return config.embedded.mail
      ? []
      : [
          warn(
            "DKIM",
            "Dayletter does not sign emails. Make sure that your relay does, or run `dayletter dkim create`.",
          ),
        ];
  }
  try {
    return await checkDkim(openDkimKeys(config), lookup);
  } catch (error) {
    return [fail("DKIM", sayFailure(error))];
  }
}

async function checkTemplates(): Promise<Check> {
  try {
    await loadTemplates(join(packageRoot, "templates/email"));
    return ok("templates", "The templates in templates/email compile.");
  } catch (error) {
    return fail("templates", sayFailure(error));
  }
}

async function sourceUrls(config: Config, { database }: Records): Promise<string[]> {
  const known = database ? (await listSources(database.db)).flatMap((source) => source.url ?? []) : [];
  return [...new Set([...config.sources, ...known])];
}

/** What the running server found when it last read its sources. It returns URLs without passwords. */
async function* servedSources(config: Config): AsyncGenerator<Check> {
  const listed = Promise.resolve().then(() =>
    serverHere(config).request<{ sources: SourceAnswer[] }>("GET", "/sources"),
  );
  const { sources } = await listed.catch(() => ({ sources: [] })); // An earlier check has reported that the server does not answer.
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
      return warn(name, `${found}. ${plural(problems.length, "item")} cannot be read: ${sayReason(problems[0]!)}`);
    if (untagged === items.length) {
      return warn(
        name,
        `${found}, none with a tag. To add a tag to all of them, run \`dayletter sources add URL --tag TAG\`.`,
      );
    }
    return ok(name, `${found}.`);
  } catch (error) {
    return fail(name, sayFailure(error));
  }
}

/** The stored schedule, from the database or from the server that holds it; without either, that of the settings. */
async function scheduleOf(config: Config, { database, held }: Records): Promise<Schedule> {
  try {
    if (database) return await loadSchedule(database.db);
    if (held) return readAnswer(await serverHere(config).request<ScheduleAnswer>("GET", "/schedule"));
  } catch {
    // An earlier check has reported the problem.
  }
  return fromSettings(config);
}

function readAnswer({ timezone, sendAt, sendDays, skipped, moved }: ScheduleAnswer): Schedule {
  return {
    timezone,
    sendAt,
    sendDays: parseSendDays(sendDays),
    skipped: new Set(skipped),
    moved: new Map(moved.map((one) => [one.date, one.sendAt])),
  };
}

function fromSettings({ timezone, sendAt, sendDays }: Config): Schedule {
  return { timezone, sendAt, sendDays, skipped: new Set() };
}

function checkTimes(schedule: Schedule, now: Date): Check {
  const { timezone } = schedule;
  const here = formatDate(now, "en", { dateStyle: "medium", timeStyle: "short", timeZone: timezone });
  const sends = nextSends(now, schedule, 3);
  if (sends.length === 0) return warn("times", "The schedule has no more dates. Run `dayletter schedule show`.");
  const list = sends.map((send) => send.date).join(", ");
  const notes = sends
    .map((send) => notesInWords(send))
    .map((note) => (note === null ? "" : ` ${note}`))
    .join("");
  return ok(
    "times",
    `It is ${here} in ${timezone}. Next dates in the schedule, at ${schedule.sendAt}: ${list}.${notes}`,
  );
}
