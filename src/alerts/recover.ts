import { type AlertDeps, watchAlerts } from "./watch.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { deadAfterMs, sweepDeadClaims } from "../ledger/dead-senders.ts";
import { dueSlices, expire, isSettled } from "../deliveries/store.ts";
import { type DueDeps, openDue, passDeadlines } from "../editions/due.ts";
import type { HoldOptions } from "../editions/hold.ts";
import { pauseForGone } from "../editions/auto-pause.ts";
import { wakeAfter } from "../editions/state.ts";
import { editionsInState } from "../editions/store.ts";
import { unrenderedEditions } from "../editions/stencils.ts";
import type { Wake } from "../queue/contract.ts";
import { loadSchedule } from "../schedule/store.ts";
import { lookAhead } from "../editions/change-schedule.ts";
import { dueFeeds } from "../sources/store.ts";
import { giveUpMailboxes } from "../outcomes/give-up.ts";
import { expireNotices, hasDueNotices } from "../subscribers/notices.ts";

export interface RecoverDeps extends DueDeps {
  wake: Wake;
  /** This process's row in `senders`. */
  sender: string;
  transport: AlertDeps["transport"];
  callLedger: AlertDeps["callLedger"];
  options: AlertDeps["options"] &
    DueDeps["options"] &
    HoldOptions & { unknownPolicy: "hold" | "resend"; secret: string };
}

/**
 * Derives all pending work from the database and queues it. Runs every minute and finds what a crash, an emptied queue or
 * a lost job left undone. Every step is idempotent, and a failing step does not stop the others.
 * @throws the first error of a step
 */
export async function recover(deps: RecoverDeps): Promise<void> {
  const failures: unknown[] = [];
  const steps = [
    sweepClaims,
    expireOld,
    stopTheGone,
    passDeadlines,
    askForDeliveries,
    lookAfterReaders,
    openWhatIsDue,
    checkNextSend,
    askForRendering,
    askForFeeds,
    giveUpMailboxes,
    // Last, because the steps above may cause an alert.
    watchAlerts,
  ];
  for (const step of steps) {
    await step(deps).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

export async function openWhatIsDue(deps: RecoverDeps): Promise<void> {
  const opened = await openDue(deps, await loadSchedule(deps.db));
  if (opened) await wakeAfter(deps.wake, "open", { id: opened.edition.id, from: null });
}

async function checkNextSend(deps: RecoverDeps): Promise<void> {
  await lookAhead(deps, await loadSchedule(deps.db));
}

async function sweepClaims({ db, clock, log, sender, options }: RecoverDeps): Promise<void> {
  const swept = await sweepDeadClaims(db, {
    silentMs: deadAfterMs,
    now: clock.now(),
    self: sender,
    policy: options.unknownPolicy,
  });
  for (const one of swept) log.warn({ ...one, policy: options.unknownPolicy }, "took over the claims of a dead sender");
}

async function askForRendering({ db, wake }: RecoverDeps): Promise<void> {
  for (const id of await unrenderedEditions(db)) await wake("render-edition", { editionId: id });
}

async function expireOld({ db, clock, log }: { db: Db; clock: Clock; log: Log }): Promise<void> {
  for (const one of await expire(db, clock.now())) log.warn({ ...one }, "deliveries expired");
}

/** A worker may have crashed after it suppressed too many addresses and before it paused the edition. */
async function stopTheGone(deps: RecoverDeps): Promise<void> {
  for (const { id } of await editionsInState(deps.db, ["sending"])) await pauseForGone(deps, id);
}

async function askForDeliveries({ db, clock, wake }: RecoverDeps): Promise<void> {
  for (const { id } of await editionsInState(db, ["sending"])) {
    for (const slice of await dueSlices(db, id, clock.now())) await wake("deliver-slice", { editionId: id, slice });
    if (await isSettled(db, id)) await wake("close-edition", { editionId: id });
  }
}

async function askForFeeds({ db, clock, wake }: RecoverDeps): Promise<void> {
  for (const sourceId of await dueFeeds(db, clock.now())) await wake("fetch-source", { sourceId });
}

/** Expires old notices, and wakes the jobs for waiting sign-ups and for notices that are due. */
export async function lookAfterReaders(deps: { db: Db; clock: Clock; wake: Wake }): Promise<void> {
  const { db, clock, wake } = deps;
  const now = clock.now();
  await expireNotices(db, now);
  if (await db.selectFrom("signups").select("id").limit(1).executeTakeFirst()) await wake("handle-signup", {});
  if (await hasDueNotices(db, now)) await wake("send-notices", {});
}
