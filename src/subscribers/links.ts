import { expiringToken, linkToken } from "./tokens.ts";

export interface LinkOptions {
  secret: string;
  /** Without trailing slash. */
  publicUrl: string;
}

/** How long a link in a mail to an unproven mailbox works. */
export const linkLifeMs = 48 * 3_600_000;

/** Where a reader confirms a sign-up. @param key the consent's */
export function confirmLink({ secret, publicUrl }: LinkOptions, key: Buffer, since: Date): string {
  return `${publicUrl}/confirm/${expiringToken(secret, "confirm", key, endOf(since))}`;
}

/** Where a reader confirms a new address. @param key the address change's */
export function changeLink({ secret, publicUrl }: LinkOptions, key: Buffer, since: Date): string {
  return `${publicUrl}/change-address/${expiringToken(secret, "change-address", key, endOf(since))}`;
}

/** The paths of a reader's own pages, or their addresses where a server stands before them. */
export interface OwnLinks {
  preferences: string;
  /** Of the link that a reader sees in a mail or on a page: it may lead on to the preferences. */
  unsubscribe: string;
  /** Of the List-Unsubscribe header, which others read too: it can unsubscribe, subscribe again, and nothing else (ADR 17). */
  oneClick: string;
}

/** @param key the subscriber's @param publicUrl "" for paths */
export function ownLinks({ secret, publicUrl }: LinkOptions, key: Buffer): OwnLinks {
  const preferences = `${publicUrl}/preferences/${linkToken(secret, "preferences", key)}`;
  return {
    preferences,
    unsubscribe: `${preferences}/unsubscribe`,
    oneClick: `${publicUrl}/unsubscribe/${linkToken(secret, "unsubscribe", key)}`,
  };
}

function endOf(since: Date): Date {
  return new Date(since.getTime() + linkLifeMs);
}
