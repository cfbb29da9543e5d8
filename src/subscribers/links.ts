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

/** A reader's own two pages. @param key the subscriber's */
export function ownLinks(
  { secret, publicUrl }: LinkOptions,
  key: Buffer,
): { preferences: string; unsubscribe: string } {
  return {
    preferences: `${publicUrl}/preferences/${linkToken(secret, "preferences", key)}`,
    unsubscribe: `${publicUrl}/unsubscribe/${linkToken(secret, "unsubscribe", key)}`,
  };
}

function endOf(since: Date): Date {
  return new Date(since.getTime() + linkLifeMs);
}
