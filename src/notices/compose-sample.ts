import { chooseTags, type TagChoice } from "../articles/tag-choice.ts";
import { comingSample } from "../editions/upcoming.ts";
import { newestSample, printSample, type SampleDeps, type SampleOf, sampleOfEdition } from "../editions/sample.ts";
import { getEdition } from "../editions/store.ts";
import { parseEditionName } from "../base/edition-name.ts";
import type { ClaimedNotice } from "../subscribers/notices.ts";

export interface ComposeSampleDeps extends SampleDeps {
  options: SampleDeps["options"] & { secret: string };
  /** Whether an unconfirmed address can get another email. */
  mayMail?(addressKey: string, ticket: undefined, mail: "sample"): Promise<boolean>;
}

/** Counted with the first attempt. A sample of a named edition is an operator's request and is not limited. */
export async function mayHaveSample(
  deps: ComposeSampleDeps,
  { attempts, address, payload }: ClaimedNotice,
): Promise<boolean> {
  if (!deps.mayMail || attempts > 1 || payload["edition"] !== undefined) return true;
  return deps.mayMail(address.toLowerCase(), undefined, "sample");
}

/** The sample copy for a notice; null if there is no article yet. */
export async function composeSample(
  deps: ComposeSampleDeps,
  notice: ClaimedNotice,
  messageId: string,
): Promise<Buffer | null> {
  const names = Array.isArray(notice.payload["tags"]) ? notice.payload["tags"].map(String) : [];
  const choice = await chooseTags(deps.db, names);
  const of = await sampleAsked(deps, notice, choice);
  const copy = await printSample(deps, of, choice, { to: notice.address, messageId });
  return copy?.message() ?? null;
}

/** Of the requested edition, or of the newest. */
async function sampleAsked(deps: ComposeSampleDeps, { payload }: ClaimedNotice, choice: TagChoice): Promise<SampleOf> {
  const { edition } = payload;
  if (typeof edition !== "string") return (await newestSample(deps, choice)).of;
  if (edition === "next") return comingSample(deps);
  const { date, number } = parseEditionName(edition);
  return sampleOfEdition(deps.db, await getEdition(deps.db, date, number));
}
