const hour = 3_600;
const day = 24 * hour;

/** How many in how many seconds. */
export interface Cap {
  points: number;
  seconds: number;
}

/**
 * Every cap on sign-ups, and why. One sign-up is at most one mail to somebody who may not have asked for it, so these
 * are caps on what a stranger can make the publication send.
 */
export const caps = {
  /** A second mail of a kind within the hour helps nobody: the first is still good. More than 3 a day is a nuisance. */
  addressHour: { points: 1, seconds: hour },
  addressDay: { points: 3, seconds: day },
  /** Without proof of work: a household or a classroom, not a script. */
  plainNetwork: { points: 10, seconds: hour },
  plainSite: { points: 400, seconds: hour },
  /** Of these, what comes from a form on a site's own page, which cannot tell when it was made (docs/embed.md). */
  bareNetwork: { points: 5, seconds: hour },
  /** From here on, one from each network. */
  bareSite: { points: 100, seconds: hour },
  /** With proof of work: an office or a mobile carrier behind one address. */
  provenNetwork: { points: 60, seconds: hour },
  /** A day on which a bigger site links here; each one cost its sender computing time. */
  provenSite: { points: 4_000, seconds: hour },
} as const satisfies Record<string, Cap>;

/** Test emails of one operator: an editor looks again after each change, and a stolen session is no mailing service. */
export const testMailCap: Cap = { points: 30, seconds: hour };

/** Once so much of a cap is used, the form asks for a proof of work. */
export const busyShare = 0.5;

/**
 * Rounds of PBKDF2 in one try of a challenge; 256 tries are needed on average. About half a second on a desktop and two
 * or three on a phone. Under strain it costs four times as much, to make a flood of solved challenges dear.
 */
export const challengeCost = { usual: 2_500, strained: 10_000 };
/** A challenge is fetched when the form is shown, and may wait as long as somebody reads the page. */
export const challengeSeconds = 2 * hour;

/** Nobody types an address faster; a script that posts what it has just fetched does. */
export const fillMs = 3_000;
/** A tab may stay open overnight. */
export const formMs = day * 1_000;

/**
 * Tries to sign in as an operator, right ones too. Nothing counts for an account as a whole, so that strangers lock nobody
 * out: many wrong tries only make the share of each unknown network smaller (docs/adr/0016-sign-in-without-lock-out.md).
 */
export const signInCaps = {
  /** Of one account from a browser that has signed in to it before. */
  device: { points: 10, seconds: hour / 4 },
  /** Of one account from one network, by how many wrong tries of it unknown browsers made within the hour. */
  pair: { points: 10, seconds: hour / 4 },
  pairBusy: { points: 3, seconds: hour / 4 },
  pairCrowded: { points: 1, seconds: hour / 4 },
  /** Of all accounts from one network. */
  network: { points: 30, seconds: hour / 4 },
  /** From so many wrong tries of one account on, `pairBusy` holds; then `pairCrowded`. */
  busy: { points: 20, seconds: hour },
  crowded: { points: 200, seconds: hour },
} as const satisfies Record<string, Cap>;
