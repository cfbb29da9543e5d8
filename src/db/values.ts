/** Why a reader is asked whether they still want the emails: most of them bounce, or the reader has done nothing for long. */
export const questionCauses = ["bounces", "silence"] as const;
export type QuestionCause = (typeof questionCauses)[number];

/** How many days a reader can answer before they are paused. */
export const answerDays = 30;

/**
 * How a question ended. `kept`: the reader wants the emails. `unsubscribed`: the reader has left. `paused`: no answer. `dropped`: it
 * could not be sent, or its cause is gone.
 */
export type QuestionOutcome = "kept" | "unsubscribed" | "paused" | "dropped";
