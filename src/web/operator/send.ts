import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { localDate } from "../../schedule/calendar.ts";
import { sendNow } from "../../editions/send-now.ts";
import { listEditions } from "../../editions/store.ts";
import { operatorPathOf, editionName } from "../../base/edition-name.ts";
import { status } from "../../operations/status.ts";
import { longDate } from "../../render/dates.ts";
import { readFields } from "../pages/fields.ts";
import { englishOf } from "../../wording/catalogue.ts";
import { needs, type Show } from "./desk.ts";
import { count, number } from "./format.ts";

/** `/operator/send`: sends today's edition now, or an extra edition, after a confirmation page with the number of readers. */
export function addSendPage(web: FastifyInstance, app: App, show: Show): void {
  web.get("/operator/send", needs.editor, async (request, reply) => {
    const { waiting, subscribers, schedule } = await status(app);
    const today = localDate(app.clock.now(), schedule.timezone);
    const last = await newestOf(app, today);
    const day = longDate(today, englishOf(app.config.language));
    const readers = count(subscribers.active, "active reader");
    const label = last ? `Send extra edition to up to ${readers}` : `Send today’s edition to up to ${readers}`;
    return show(
      request,
      reply,
      { name: "confirm", title: "Send edition now", place: "today" },
      {
        question: last ? "Send an extra edition now?" : "Send today’s edition now?",
        words:
          `${day}. All sources are checked first. Then ${waiting === 1 ? "the 1 waiting article is" : `the ${number(waiting)} waiting articles are`} ` +
          `sent to each of ${readers} who ${subscribers.active === 1 ? "follows" : "follow"} at least one of the tags. ` +
          (last
            ? `Today already has edition ${editionName(last)}.`
            : "No other edition is sent at today’s usual time."),
        label,
        post: "/operator/send",
        back: "/operator",
        hidden: [
          { name: "date", value: today },
          { name: "after", value: String(last?.number ?? 0) },
        ],
      },
    );
  });

  web.post("/operator/send", needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const date = fields.one("date");
    const after = Number(fields.one("after")) || 0;
    // For a repeated submission, show the edition that the first one created.
    const made = await newestOf(app, date);
    if (made && made.number > after) return reply.redirect(`${operatorPathOf(made)}?done=send&already=1`, 303);
    try {
      const actor = request.operator.name;
      const edition = await sendNow(app, { date, extra: after > 0, actor, ...(after > 0 ? { after } : {}) });
      return reply.redirect(`${operatorPathOf(edition)}?done=send`, 303);
    } catch (error) {
      const taken = error instanceof Refusal && error.status === 409 ? error.details["number"] : null;
      if (typeof taken !== "number") throw error;
      return reply.redirect(`${operatorPathOf({ date, number: taken })}?done=send&already=1`, 303);
    }
  });
}

async function newestOf(app: App, date: string) {
  return (await listEditions(app.db, 20)).find((edition) => edition.date === date);
}
