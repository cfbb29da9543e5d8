import type { AlertKind } from "./conditions.ts";

interface Said {
  /** The subject of the mail, behind the publication's name. */
  raised: string;
  cleared: string;
  /** What to do. */
  advice: string;
  /** What it means that it is over. */
  over: string;
}

/** What mails and calls say of each kind, besides its own sentence. */
export const alertWords: Readonly<Record<AlertKind | "test", Said>> = {
  "edition-held": {
    raised: "an edition is held",
    cleared: "the edition is held no more",
    advice: "Look at it, then approve it (`dayletter edition approve DATE`) or cancel it.",
    over: "Somebody has decided, or its deadline has passed.",
  },
  "edition-missed": {
    raised: "an edition was missed",
    cleared: "an edition goes out again",
    advice:
      "Its articles come with the next edition. `dayletter edition send` sends them now; with --extra, if it is today's.",
    over: "A later edition has gone out, with the articles of the missed one.",
  },
  "edition-empty": {
    raised: "an edition went to nobody",
    cleared: "editions have readers again",
    advice:
      "Look whether the sources still bring articles, with the tags that readers follow: `dayletter sources list`, " +
      "`dayletter articles list`.",
    over: "A later edition has articles for readers.",
  },
  "not-sent": {
    raised: "many mails were not sent",
    cleared: "the mails were sent after all",
    advice: "See the replies, mend what they complain of, then `dayletter edition retry DATE`.",
    over: "Fewer of its mails are unsent now than the limit.",
  },
  suppressions: {
    raised: "many addresses are said not to exist",
    cleared: "somebody has decided about the addresses",
    advice:
      "Look at the replies. If the relay is right, `dayletter edition resume DATE`; if not, mend it, then " +
      "`dayletter edition unsuppress DATE`, `retry DATE` and `resume DATE`.",
    over: "The edition was resumed, or its suppressions were taken back.",
  },
  unknown: {
    raised: "the fate of some mails is unknown",
    cleared: "no mail's fate is unknown any more",
    advice: "Let them be, or send them again at the risk of a second copy: `dayletter edition resend-unknown DATE`.",
    over: "Every delivery of the edition has an answer.",
  },
  "source-failing": {
    raised: "a source cannot be read",
    cleared: "the source is read again",
    advice: "Open its address in a browser; `dayletter sources check ID` tries it at once.",
    over: "It was read, or it was removed.",
  },
  relay: {
    raised: "the relay refuses mail",
    cleared: "the relay takes mail again",
    advice: "`dayletter doctor` says what stands in the way. Nothing is lost: it is tried again until it expires.",
    over: "Mails go out again.",
  },
  test: {
    raised: "a test alert",
    cleared: "the test is over",
    advice: "Nothing is wrong, and there is nothing to do.",
    over: "Nothing was wrong.",
  },
};
