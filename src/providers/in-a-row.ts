import { remember } from "../base/remember.ts";
import { isOwnDomain } from "./provider-of.ts";

/** After this many policy refusals in a row, sending more would only harm the sender's reputation (Microsoft). */
export const refusalLimit = 10;
/** The same for a provider that is tried again after it has refused. */
export const probeLimit = 3;
/**
 * So many domains must agree before a provider is judged by its customers' domains. MX records are whatever a domain's owner
 * or a resolver says, so a single domain must not be able to stop a large provider.
 */
const domainsNeeded = 3;

export interface Receiver {
  /** Of the address. */
  domain: string;
  provider: string;
}

export interface InARow {
  /** The provider or the domain accepted. */
  accepted(receiver: Receiver): void;
  /** @returns whose rate the reply is about: the provider, the domain, or both */
  slowed(receiver: Receiver): string[];
  /** @returns who has now refused too many in a row */
  refused(receiver: Receiver, isTried: (name: string) => boolean): string[];
}

interface Row {
  refusals: number;
  domains: Set<string>;
  own: boolean;
}

const mostKept = 2_000;

/** Counts replies in a row of this worker, for each provider and for each domain that only its MX records join to one. */
export function createInARow(): InARow {
  const rows = new Map<string, Row>();

  function rowOf(name: string): Row {
    const row = rows.get(name) ?? { refusals: 0, domains: new Set(), own: false };
    remember(rows, name, row, mostKept);
    return row;
  }

  function note(name: string, { domain, provider }: Receiver): Row {
    const row = rowOf(name);
    if (row.domains.size < domainsNeeded) row.domains.add(domain);
    row.own ||= name === domain || isOwnDomain(domain, provider);
    return row;
  }

  const namesOf = ({ domain, provider }: Receiver): string[] =>
    isOwnDomain(domain, provider) ? [provider] : [domain, provider];
  const isSure = (row: Row): boolean => row.own || row.domains.size >= domainsNeeded;

  return {
    accepted(receiver) {
      for (const name of namesOf(receiver)) rows.delete(name);
    },
    slowed: (receiver) => namesOf(receiver).filter((name) => isSure(note(name, receiver))),
    refused: (receiver, isTried) =>
      namesOf(receiver).filter((name) => {
        const row = note(name, receiver);
        row.refusals += 1;
        const reached = isSure(row) && row.refusals >= (isTried(name) ? probeLimit : refusalLimit);
        if (reached) rows.delete(name);
        return reached;
      }),
  };
}
