import { randomBytes } from "node:crypto";
import { writeAudit } from "../audit/audit.ts";
import { domainOf } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { addNotices } from "../subscribers/notices.ts";
import { findTestNotice, removeTestNotices, type TestNotice } from "../subscribers/test-notices.ts";
import { bounceKind, type BounceKind } from "./bounce-kind.ts";

export interface BounceTestDeps {
  db: Db;
  clock: Clock;
  wake: Wake;
  caps: { countTest(actor: string): Promise<void> };
  options: {
    bounceAddress: string | null;
    mailFrom: { address: string };
    smtp: object | null;
    mailTransport: object | string | null;
  };
}

export interface BounceTest extends TestNotice {
  /** What the bounce, or the relay's refusal, says about the address; null without either. */
  kind: BounceKind | null;
}

/** A test whose command was killed is removed with the next one after this time. */
const forgottenMs = 3_600_000;

/**
 * Sends an email that must bounce, to a random address at the domain of `MAIL_FROM`, in the way of all others. Its return path notes
 * in the database when the bounce comes back, whichever worker receives it.
 * @throws Refusal 429 for too many tests, 409 if bounces don't come back to `BOUNCE_ADDRESS` or emails aren't sent
 */
export async function startBounceTest(deps: BounceTestDeps, actor: string): Promise<number> {
  const { db, clock, wake, caps, options } = deps;
  if (options.bounceAddress === null) throw new Refusal(409, "bounce_test_without_address");
  if (options.smtp === null && options.mailTransport === null) throw new Refusal(409, "bounce_test_without_relay");
  await caps.countTest(actor);
  const now = clock.now();
  const local = `dayletter-bounce-test-${randomBytes(8).toString("hex")}`;
  const address = `${local}@${domainOf(options.mailFrom.address)}`;
  await removeTestNotices(db, { id: null, since: new Date(now.getTime() - forgottenMs) });
  const id = await db.transaction().execute(async (tx) => {
    await writeAudit(tx, { at: now, actor, action: "bounce test", subject: "bounces" });
    const [added] = await addNotices(tx, [{ kind: "test", subscriberId: null, address }], now);
    return added!.id;
  });
  await wake("send-notices", {});
  return id;
}

/** @throws Refusal 404 when there is no such test */
export async function getBounceTest(db: Db, id: number): Promise<BounceTest> {
  const test = await findTestNotice(db, id);
  if (!test) throw new Refusal(404, "bounce_test_not_found");
  const { state, reason, returned } = test;
  if (returned) return { ...test, kind: bounceKind(returned.code, returned.text) };
  return {
    ...test,
    kind: state === "rejected" && reason.reply !== null ? bounceKind(reason.reply, reason.reply) : null,
  };
}

/** Removes all that a test has left. Safe to repeat. A bounce that comes later is ignored. */
export async function endBounceTest({ db, clock }: Pick<BounceTestDeps, "db" | "clock">, id: number): Promise<void> {
  await removeTestNotices(db, { id, since: new Date(clock.now().getTime() - forgottenMs) });
}
