import { sendNotices, type SendNoticesDeps } from "../src/subscribers/send-notices.ts";

/** Sends every notice that is due. */
export async function sendNoticesJob(deps: SendNoticesDeps, signal: AbortSignal) {
  await sendNotices(deps, signal);
}
