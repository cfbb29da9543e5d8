import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import type { EditionWarmUp } from "../../deliveries/warm-up.ts";
import { Refusal } from "../../base/errors.ts";
import { planSendNow, sendNow, type SendNowPlan } from "../../editions/send-now.ts";
import { listEditions } from "../../editions/store.ts";
import { operatorPathOf, editionName } from "../../base/edition-name.ts";
import { findingInWords } from "../../texts/editions.ts";
import { longDate } from "../../render/plain.ts";
import { readFields } from "../pages/fields.ts";
import { englishOf, englishWording } from "../../texts/catalogue.ts";
import { needs, type Show } from "./dashboard.ts";

const { say } = englishWording();

type AppDeps = Pick<App, "config" | "options" | "clock" | "log" | "trace" | "db" | "wake" | "gather" | "samples">;

/** `/operator/send`: sends today's edition now, or an extra edition, after a confirmation page with the number of readers and the preview's warnings. */
export function addSendPage(web: FastifyInstance, app: AppDeps, show: Show): void {
  web.get("/operator/send", needs.editor, async (request, reply) => {
    const plan = await planSendNow(app);
    const page = { name: "confirm", title: say("title.send"), place: "today" } as const;
    const { date, articles, leftOut, readers: n, warmUp, findings, nobody } = plan;
    if (nobody === "no_readers" || nobody === "warm_up") {
      return show(request, reply, page, { question: page.title, effect: nobodyInWords(plan), back: "/operator" });
    }
    const last = await newestOf(app, date);
    const day = longDate(date, englishOf(app.config.language));
    return show(request, reply, page, {
      question: say(last ? "send.extra_question" : "send.regular_question"),
      effect: [
        ...(nobody === null
          ? [
              say("send.effect", { day, articles, readers: n }),
              ...(leftOut === 0 ? [] : [say("send.left_out", { n: leftOut })]),
            ]
          : [nobodyInWords(plan), say("send.sources_first")]),
        ...(warmUp === null || warmUp.leftOut === 0 ? [] : [warmUpInWords(warmUp)]),
        last ? say("send.already", { edition: editionName(last) }) : say("send.none_later"),
      ].join(" "),
      warning:
        findings.length === 0
          ? null
          : say("send.findings", { findings: findings.map((one) => findingInWords(one)).join(" ") }),
      label: nobody === null ? say(last ? "send.extra" : "send.regular", { n }) : say("send.check"),
      post: "/operator/send",
      back: "/operator",
      hidden: [
        { name: "date", value: date },
        { name: "after", value: String(last?.number ?? 0) },
      ],
    });
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

async function newestOf(app: Pick<App, "db">, date: string) {
  return (await listEditions(app.db, 20)).find((edition) => edition.date === date);
}

/** Why nobody would get the edition. */
function nobodyInWords({ nobody, articles, leftOut, warmUp }: SendNowPlan): string {
  switch (nobody) {
    case "no_readers":
      return say("decision.no_readers");
    case "all_left_out":
      return say("send.left_out", { n: leftOut });
    case "no_followers":
      return say("send.no_followers", { n: articles });
    case "warm_up":
      return warmUpInWords(warmUp!);
    default:
      return say("send.no_articles");
  }
}

function warmUpInWords({ day, cap, leftOut: n }: EditionWarmUp): string {
  return say("send.warm_up", { day, cap, n });
}
