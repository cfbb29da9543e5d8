import type { z } from "zod";
import type { alertSchema } from "./alerts.ts";
import type { articleSchema, outcomeSchema } from "./articles.ts";
import type { bounceTestSchema } from "./bounce-test.ts";
import type { deliveryPageSchema } from "./deliveries.ts";
import type { comingSchema } from "./editorial.ts";
import type { actedSchema, editionDetailSchema, linkReportSchema } from "./editions.ts";
import type { importReportSchema } from "./lists.ts";
import type { invitedSchema, newTokenSchema, operatorSchema, tokenSchema } from "./operators.ts";
import type { providerOutcomesSchema, providerSchema } from "./providers.ts";
import type { editionSchema, listedEditionSchema, nextSendSchema, scheduleSchema, sourceSchema } from "./shapes.ts";
import type { changedSourceSchema, pollSchema, polledSchema } from "./sources.ts";
import type { statusSchema } from "./status.ts";
import type { editedSchema, subscriberSchema, whySchema } from "./subscribers.ts";
import type {
  suppressionSchema,
  removedSuppressionsSchema,
  suppressionCountSchema,
  suppressionsReportSchema,
} from "./suppressions.ts";
import type { warmUpSchema } from "./warm-up.ts";
import type { tagActFields, tagHiddenSchema, tagSchema } from "./tags.ts";

/** A value after it was sent as JSON: a date is an ISO 8601 text. */
type Sent<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Sent<Item>[]
    : T extends object
      ? { [Key in keyof T]: Sent<T[Key]> }
      : T;

type Answer<Schema extends z.ZodType> = Sent<z.output<Schema>>;

/*
 * The responses of the API as a client in TypeScript gets them, such as the command line. They follow from the schemas of the
 * routes.
 */

export type ActedAnswer = Answer<typeof actedSchema>;
export type AlertAnswer = Answer<typeof alertSchema>;
export type ArticleAnswer = Answer<typeof articleSchema>;
export type BounceTestAnswer = Answer<typeof bounceTestSchema>;
export type ComingAnswer = Answer<typeof comingSchema>;
export type DeliveryPage = Answer<typeof deliveryPageSchema>;
export type EditedReaderAnswer = Answer<typeof editedSchema>;
export type EditionAnswer = Answer<typeof editionSchema>;
export type EditionDetailAnswer = Answer<typeof editionDetailSchema>;
export type ProviderOutcomesAnswer = Answer<typeof providerOutcomesSchema>;
export type ProviderAnswer = Answer<typeof providerSchema>;
export type ImportAnswer = Answer<typeof importReportSchema>;
export type InvitedAnswer = Answer<typeof invitedSchema>;
export type ListedEditionAnswer = Answer<typeof listedEditionSchema>;
export type LinksAnswer = Answer<typeof linkReportSchema>;
export type NewTokenAnswer = Answer<typeof newTokenSchema>;
export type OperatorAnswer = Answer<typeof operatorSchema>;
export type OutcomeAnswer = Answer<typeof outcomeSchema>;
export type PollAnswer = Answer<typeof pollSchema>;
export type ChangedSourceAnswer = Answer<typeof changedSourceSchema>;
export type PolledAnswer = Answer<typeof polledSchema>;
export type ScheduleAnswer = Answer<typeof scheduleSchema>;
export type SendAnswer = Answer<typeof nextSendSchema>;
export type SourceAnswer = Answer<typeof sourceSchema>;
export type StatusAnswer = Answer<typeof statusSchema>;
export type SubscriberAnswer = Answer<typeof subscriberSchema>;
export type SuppressionAnswer = Answer<typeof suppressionSchema>;
export type RemovedSuppressionsAnswer = Answer<typeof removedSuppressionsSchema>;
export type SuppressionCountAnswer = Answer<typeof suppressionCountSchema>;
export type SuppressionsReport = Answer<typeof suppressionsReportSchema>;
export type TagActAnswer = Answer<z.ZodObject<typeof tagActFields>>;
export type TagAnswer = Answer<typeof tagSchema>;
export type TagHiddenAnswer = Answer<typeof tagHiddenSchema>;
export type TagUnaliasedAnswer = TagActAnswer & { alias: string; tag: string };
export type TokenAnswer = Answer<typeof tokenSchema>;
export type WarmUpAnswer = Answer<typeof warmUpSchema>;
export type WhyAnswer = Answer<typeof whySchema>;
