import { Refusal } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { recordOutcomes, type OutcomeDeps, type ReportLine } from "../record.ts";
import type { EmailService } from "../store.ts";
import { emailOf } from "./email.ts";
import type { Hook, HookCall, OpenHookDeps } from "./open.ts";

export interface HookDeps extends OutcomeDeps, OpenHookDeps {
  log: Log;
  options: OutcomeDeps["options"] & OpenHookDeps["options"];
}

export interface HookResult {
  recorded: number;
  /** Recorded before. */
  unchanged: number;
  /** About no email of this publication, such as one to a reader who was erased. */
  refused: number;
}

/**
 * Receives a call of an email service and records its bounces and complaints. Other events have no effect, and so do those about
 * unknown emails: an error would only make the service send them again for days.
 * @throws what the hook throws, and any error of the database
 */
export async function receiveHook(
  deps: HookDeps,
  { hook, service }: { hook: Hook; service: EmailService },
  call: HookCall,
): Promise<HookResult> {
  const lines: ReportLine[] = [];
  let refused = 0;
  const refuse = (code: string | null): void => {
    refused += 1;
    deps.log.info({ service, code }, "outcome has no email");
  };
  for (const event of await hook(call)) {
    const { outcome, code, text, at } = event;
    try {
      lines.push({ ...(await emailOf(deps, event)), outcome, code, text, at });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(error.code);
    }
  }
  const results = await recordOutcomes(deps, lines, { actor, source: service });
  for (const result of results) {
    if (result.result === "refused") refuse(result.reason.code);
    else deps.log.info({ service, ...result }, "outcome received");
  }
  const count = (result: string): number => results.filter((one) => one.result === result).length;
  return { recorded: count("recorded"), unchanged: count("unchanged"), refused };
}

/** As for all automatic actions. */
const actor = "dayletter";
