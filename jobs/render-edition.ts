import { renderEdition, type RenderDeps } from "../src/editions/render.ts";
import { wakeAfter } from "../src/editions/state.ts";
import type { Payload, Wake } from "../src/queue/contract.ts";

/** Renders the edition, then queues its slices. */
export async function renderEditionJob(
  deps: RenderDeps & { wake: Wake },
  { editionId }: Payload<"render-edition">,
  signal: AbortSignal,
) {
  if (!(await renderEdition(deps, editionId, signal))) return;
  await wakeAfter(deps.wake, "start", { id: editionId, from: "opening" });
}
