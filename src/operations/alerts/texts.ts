import type { AlertKind } from "./conditions.ts";

interface Said {
  /** The email's subject, after the publication's name. */
  raised: string;
  cleared: string;
  /** What to do. */
  advice: string;
  /** What the end of the problem means. */
  over: string;
}

/** The texts of emails and webhook calls for each kind, besides the alert's own sentence. */
export const alertWords: Readonly<Record<AlertKind | "test", Said>> = {
  "edition-held": {
    raised: "an edition is held",
    cleared: "the edition is no longer held",
    advice: "Review it, then approve it with `dayletter edition approve DATE` or cancel it.",
    over: "An operator has decided, or its deadline has passed.",
  },
  "edition-missed": {
    raised: "an edition was missed",
    cleared: "editions are being sent again",
    advice:
      "Its articles will be in the next edition. To send them now, run `dayletter edition send`. Add --extra if the " +
      "missed edition is today's.",
    over: "A later edition was sent with the articles of the missed one.",
  },
  "edition-empty": {
    raised: "an edition was sent to nobody",
    cleared: "editions have readers again",
    advice:
      "Check that the sources still deliver articles with tags that readers follow. Run `dayletter sources list` and " +
      "`dayletter articles list`.",
    over: "A later edition has articles for readers.",
  },
  "not-sent": {
    raised: "many emails were not sent",
    cleared: "the number of unsent emails is below the limit again",
    advice: "Check the relay's replies, fix the cause, then run `dayletter edition retry DATE`.",
    over: "Fewer of its emails are unsent now than the limit.",
  },
  suppressions: {
    raised: "many addresses were reported as nonexistent",
    cleared: "the reported addresses have been dealt with",
    advice:
      "Check the relay's replies. If they are right, run `dayletter edition resume DATE`. If they are wrong, fix the " +
      "relay, then run `dayletter edition unsuppress DATE`, `dayletter edition retry DATE` and `dayletter edition resume DATE`.",
    over: "The edition was resumed, or its suppressions were removed.",
  },
  unknown: {
    raised: "some deliveries were not confirmed",
    cleared: "no deliveries are unconfirmed any more",
    advice:
      "Leave them, or resend them with `dayletter edition resend-unknown DATE`. If you resend, some readers may get a " +
      "second copy.",
    over: "The outcome of every delivery of the edition is known.",
  },
  "source-failing": {
    raised: "a source cannot be read",
    cleared: "the source can be read again",
    advice: "Open its address in a browser. To try again now, run `dayletter sources check ID`.",
    over: "It was read successfully, or it was removed.",
  },
  relay: {
    raised: "the relay is not accepting email",
    cleared: "the relay is accepting email again",
    advice: "Run `dayletter doctor` to find the cause. No email is lost. Deliveries are retried until they expire.",
    over: "Emails are being sent again.",
  },
  test: {
    raised: "this is a test alert",
    cleared: "the test is over",
    advice: "Nothing is wrong. You do not need to do anything.",
    over: "Nothing was wrong.",
  },
};
