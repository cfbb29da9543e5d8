import { expiringToken, linkToken } from "./tokens.ts";

export interface LinkOptions {
  secret: string;
  /** Without trailing slash. */
  publicUrl: string;
}

/** How long a link in an email to an unconfirmed mailbox is valid. */
export const linkLifeMs = 48 * 3_600_000;

/** The link that confirms a sign-up. @param key the consent's */
export function confirmLink({ secret, publicUrl }: LinkOptions, key: Buffer, since: Date): string {
  return `${publicUrl}/confirm/${expiringToken(secret, "confirm", key, endOf(since))}`;
}

/** The link that confirms a new address. @param key the address change's */
export function changeLink({ secret, publicUrl }: LinkOptions, key: Buffer, since: Date): string {
  return `${publicUrl}/change-address/${expiringToken(secret, "change-address", key, endOf(since))}`;
}

/** Links to a reader's own pages. */
export interface OwnLinks {
  preferences: string;
  /** The visible link in emails and on pages. Its page links to the preferences. */
  unsubscribe: string;
  /** The List-Unsubscribe header's link, which others can read: it can only unsubscribe and subscribe again (ADR 17). */
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
