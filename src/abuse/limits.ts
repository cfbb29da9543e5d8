const hour = 3_600;
const day = 24 * hour;

/** At most `points` in `seconds`. */
export interface Cap {
  points: number;
  seconds: number;
}

/**
 * Caps on sign-ups. Each sign-up can send one email to somebody who did not ask for it, so these limit what a stranger can
 * make the publication send.
 */
export const caps = {
  /** The first email of a kind is still valid within the hour. More than 3 a day is a nuisance. */
  addressHour: { points: 1, seconds: hour },
  addressDay: { points: 3, seconds: day },
  /** Without proof of work: a household or a classroom, not a script. */
  plainNetwork: { points: 10, seconds: hour },
  plainSite: { points: 400, seconds: hour },
  /** Among these, forms embedded in a site's own page, which have no signed time (docs/embed.md). */
  bareNetwork: { points: 5, seconds: hour },
  /** Above this, one for each network. */
  bareSite: { points: 100, seconds: hour },
  /** With proof of work: an office or a mobile carrier shares one address. */
  provenNetwork: { points: 60, seconds: hour },
  /** Enough for a link from a large site. Each one costs its sender computing time. */
  provenSite: { points: 4_000, seconds: hour },
} as const satisfies Record<string, Cap>;

/** Test emails of one operator: enough to check each change, too few for abuse with a stolen session. */
export const testMailCap: Cap = { points: 30, seconds: hour };

/**
 * How old the signature of a webhook may be. Services send a call again that failed, with the same signature: SendGrid for a day
 * (twilio.com/docs/sendgrid/for-developers/tracking-events/event), Mailgun for eight hours, Amazon SNS for one.
 */
export const hookSeconds = day + hour;

/** Above this share of a cap, the form requires proof of work. */
export const busyShare = 0.5;

/**
 * Rounds of PBKDF2 in one try of a challenge; 256 tries are needed on average. That takes about half a second on a desktop
 * and two or three on a phone. Under strain it costs four times as much, to slow a flood of solved challenges.
 */
export const challengeCost = { usual: 2_500, strained: 10_000 };
/** A challenge is fetched when the form is shown, so it must stay valid while somebody reads the page. */
export const challengeSeconds = 2 * hour;

/** Faster than anybody types an address; scripts post a form as soon as they have fetched it. */
export const fillMs = 3_000;
/** A tab can stay open overnight. */
export const formMs = day * 1_000;

/**
 * Sign-in attempts of operators, successful ones included. No cap applies to an account as a whole, so strangers cannot
 * lock anybody out: many failures only lower the cap of each unknown network (docs/adr/0016-sign-in-without-lock-out.md).
 */
export const signInCaps = {
  /** One account, from a browser that has signed in to it before. */
  device: { points: 10, seconds: hour / 4 },
  /** One account from one network, depending on the failures of unknown browsers in the last hour. */
  pair: { points: 10, seconds: hour / 4 },
  pairBusy: { points: 3, seconds: hour / 4 },
  pairCrowded: { points: 1, seconds: hour / 4 },
  /** All accounts from one network. */
  network: { points: 30, seconds: hour / 4 },
  /** Failures of one account above which `pairBusy` and then `pairCrowded` applies. */
  busy: { points: 20, seconds: hour },
  crowded: { points: 200, seconds: hour },
} as const satisfies Record<string, Cap>;
