import type { Db } from "../db/schema.ts";
import { listProviderOutcomes, type ProviderOutcomes } from "../providers/store.ts";
import { ratesOf, type Rates } from "./rates.ts";
import { listReportSources } from "./report-sources.ts";

export type ProviderRates = ProviderOutcomes & Rates;

/** Bounces and complaints of the last days' emails for each mailbox provider, those with the most emails first. */
export async function providerRates(db: Db, now: Date, most: number): Promise<ProviderRates[]> {
  const [providers, sources] = await Promise.all([listProviderOutcomes(db, now, most), listReportSources(db)]);
  const reported = sources.length > 0;
  return providers.map((one) => ({ ...one, ...ratesOf(one, { provider: one.name, reported }) }));
}
