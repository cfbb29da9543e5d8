import { domainOf } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import { sayFailure } from "../../texts/catalogue.ts";
import { diagnosticOf } from "../../mail/diagnostic.ts";
import type { BounceTestAnswer } from "../../web/api/answers.ts";
import type { Client } from "../client.ts";
import { fail, ok, warn, type Check } from "./check.ts";

export interface BounceDeps {
  client(): Pick<Client, "request">;
  clock: Clock;
  /** Waits this long. Rejects when the command is interrupted. */
  wait(ms: number): Promise<void>;
  /** Shows how long the test has taken. */
  show(seconds: number, note: string): void;
}

const name = "bounce";
const lookEveryMs = 500;

/**
 * Lets the server send an email that must bounce, and waits until the bounce has come back. Leaves nothing behind, also when it is
 * interrupted.
 * @param seconds how long to wait
 */
export async function checkBounce(deps: BounceDeps, seconds: number): Promise<Check> {
  try {
    const client = deps.client();
    const test = await client.request<BounceTestAnswer>("POST", "/bounce-tests");
    const path = `/bounce-tests/${test.id}`;
    try {
      return judgeBounce(await watch(deps, test, () => client.request("GET", path), seconds), seconds);
    } finally {
      // If the server is gone, its next test removes this one.
      await client.request("DELETE", path).catch(() => undefined);
    }
  } catch (error) {
    return fail(name, isAbort(error) ? "Interrupted before the bounce came back." : sayFailure(error));
  }
}

/** @returns the test when its result is known, or when the time is up */
async function watch(
  { clock, wait, show }: BounceDeps,
  first: BounceTestAnswer,
  look: () => Promise<BounceTestAnswer>,
  seconds: number,
): Promise<BounceTestAnswer> {
  const since = clock.now().getTime();
  for (let test = first; ; test = await look()) {
    const passed = (clock.now().getTime() - since) / 1_000;
    if (test.returned !== null || test.state === "rejected" || test.state === "skipped" || passed >= seconds)
      return test;
    show(passed, notes[test.state] ?? `The test email is waiting: ${test.detail ?? test.state}`);
    await wait(lookEveryMs);
  }
}

const notes: { [state in BounceTestAnswer["state"]]?: string } = {
  pending: "waiting for a worker",
  sending: "sending an email that must bounce",
  sent: "waiting for the bounce",
};

export function judgeBounce(test: BounceTestAnswer, waited: number): Check {
  const { address, state, detail, kind, returned, startedAt } = test;
  const domain = domainOf(address);
  if (returned !== null) {
    const seconds = Math.max(0, Math.round((Date.parse(returned.at) - Date.parse(startedAt)) / 1_000));
    const said = diagnosticOf(returned);
    const came = `The bounce came back after ${seconds} s`;
    if (kind === "hard") return ok(name, `${came}: ${said ?? kind}`);
    const what = "but does not say that the address does not exist";
    return warn(name, `${came}, ${what}${said === null ? "." : `: ${said}`}`);
  }
  switch (state) {
    case "rejected":
      if (kind === "hard") {
        const rest = "Whether bounces from other servers come back was not tested";
        return ok(name, `The relay immediately refuses addresses at ${domain} that do not exist (${detail}). ${rest}.`);
      }
      return fail(name, `The relay refused the test email: ${detail ?? "no reason given"}.`);
    case "sent":
    case "unknown":
      return fail(
        name,
        `The relay accepted the test email, but no bounce came back within ${waited} s. Check that the MX record of ` +
          `BOUNCE_ADDRESS leads to the server that receives bounces, and read the relay's log. If the relay is slow, add --wait 600. ` +
          `If ${domain} accepts emails to all addresses, there are no bounces.`,
      );
    case "deferred":
      return warn(name, `The test email was not accepted within ${waited} s: ${detail ?? "no reason given"}.`);
    case "pending":
    case "sending":
      return fail(
        name,
        `No worker sent the test email within ${waited} s. Check that one is running: \`dayletter status\`.`,
      );
    case "skipped":
    case "expired":
      return fail(name, `The test email was not sent: ${detail ?? state}.`);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
