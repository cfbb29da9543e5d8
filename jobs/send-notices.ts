import { sendNotices, type SendNoticesDeps } from "../src/notices/send.ts";

/** Sends every notice that is due. */
export async function sendNoticesJob(deps: SendNoticesDeps, signal: AbortSignal) {
  await sendNotices(deps, signal);
}
