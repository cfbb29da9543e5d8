import type { SignupDeps } from "../src/subscribers/signup.ts";
import type { AskAgainDeps } from "../src/outcomes/ask-again.ts";
import type { SendNoticesDeps } from "../src/notices/send.ts";
import type { RecoverDeps } from "../src/alerts/recover.ts";
import type { RetentionDeps } from "../src/alerts/retention.ts";
import type { DeliverDeps } from "../src/deliveries/deliver-slice.ts";
import type { RenderDeps } from "../src/editions/render.ts";
import type { ResolveMx } from "../src/providers/look-up.ts";
import type { Payload } from "../src/queue/contract.ts";
import type { Processors } from "../src/queue/queues.ts";
import type { PollDeps } from "../src/sources/poll.ts";
import { askAgainJob } from "./ask-again.ts";
import { closeEditionJob } from "./close-edition.ts";
import { deliverSliceJob } from "./deliver-slice.ts";
import { queueSlicesJob } from "./queue-slices.ts";
import { fetchSource } from "./fetch-source.ts";
import { handleSignupJob } from "./handle-signup.ts";
import { lookUpProvidersJob } from "./look-up-providers.ts";
import { openEditionJob } from "./open-edition.ts";
import { recoverJob } from "./recover.ts";
import { renderEditionJob } from "./render-edition.ts";
import { retentionJob } from "./retention.ts";
import { sendNoticesJob } from "./send-notices.ts";

export type JobDeps = PollDeps &
  RenderDeps &
  DeliverDeps &
  RecoverDeps &
  SignupDeps &
  SendNoticesDeps &
  RetentionDeps &
  AskAgainDeps & { resolveMx: ResolveMx };

/** Which function works which job. */
export function processors(deps: JobDeps): Processors {
  const { trace } = deps;
  return {
    "fetch-source": (payload, signal) => fetchSource(deps, payload, signal),
    "look-up-providers": (payload, signal) => lookUpProvidersJob(deps, payload, signal),
    "open-edition": () => openEditionJob(deps),
    "render-edition": (payload, signal) =>
      trace("render edition", about(payload), () => renderEditionJob(deps, payload, signal)),
    "queue-slices": (payload) => trace("queue slices", about(payload), () => queueSlicesJob(deps, payload)),
    "close-edition": (payload) =>
      trace("close edition", about(payload), async (note) => {
        const finished = await closeEditionJob(deps, payload);
        note({ finished });
        return finished;
      }),
    "deliver-slice": (payload, signal) =>
      trace("deliver slice", { ...about(payload), slice: payload.slice }, async (note) => {
        const handed = await deliverSliceJob(deps, payload, signal);
        note({ handed });
        return handed;
      }),
    "handle-signup": () => handleSignupJob(deps),
    "send-notices": (_payload, signal) => sendNoticesJob(deps, signal),
    recover: () => recoverJob(deps),
    retention: () => retentionJob(deps),
    "ask-again": () => askAgainJob(deps),
  };
}

const about = ({ editionId }: Payload<"queue-slices">) => ({ edition: editionId });
