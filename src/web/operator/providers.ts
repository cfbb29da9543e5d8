import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { resumeProvider } from "../../providers/resume.ts";
import { listProviders, outcomeDays } from "../../providers/store.ts";
import { providerRates, type ProviderRates } from "../../outcomes/provider-rates.ts";
import { isSilentAboutComplaints } from "../../outcomes/rates.ts";
import { phaseOf } from "../../providers/state.ts";
import { percentInWords } from "../../texts/outcomes.ts";
import { warmUpStatus, type WarmUpStatus } from "../../deliveries/warm-up-rooms.ts";
import { longDate } from "../../render/plain.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { providerInWords, providerLabel } from "../../texts/providers.ts";
import { warmUpInWords } from "../../texts/warm-up.ts";
import { englishOf, englishWording, sayFailure } from "../../texts/catalogue.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./dashboard.ts";
import { number, shortDate, shortMoment } from "./format.ts";
import { providerRow, providerRows } from "./progress.ts";

const { say } = englishWording();

const path = "/operator/providers";
const listed = 100;
const warmUpListed = 20;

/** `/operator/providers`: how each mailbox provider accepts emails, and ending a pause or block. */
export function addProvidersPage(
  web: FastifyInstance,
  app: Pick<App, "config" | "options" | "clock" | "db" | "wake">,
  show: Show,
): void {
  const { db, clock, config } = app;
  const language = englishOf(config.language);

  web.get(path, needs.viewer, async (request, reply) => {
    const name = readFields(request.query).one("resumed");
    return list(
      request,
      reply,
      name === "" ? null : say("provider.resumed", { provider: providerLabel(name.slice(0, 253)) }),
    );
  });

  web.post(`${path}/resume`, needs.editor, async (request, reply) => {
    const name = readFields(request.body).one("name").slice(0, 253);
    try {
      const { changed } = await resumeProvider(app, { name, actor: request.operator.name });
      return reply.redirect(changed ? `${path}?resumed=${encodeURIComponent(name)}` : path, 303);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return list(request, reply.code(error.status), sayFailure(error));
    }
  });

  async function list(request: FastifyRequest, reply: FastifyReply, notice: string | null): Promise<FastifyReply> {
    const now = clock.now();
    const [providers, outcomes, { timezone }, warmUp] = await Promise.all([
      listProviders(db, now, listed),
      providerRates(db, now, listed),
      loadSchedule(db),
      warmUpStatus(app, warmUpListed),
    ]);
    const time = (at: Date): string => shortMoment(at, timezone, language);
    return show(
      request,
      reply,
      { name: "providers", title: say("title.providers"), place: "today" },
      {
        notice,
        timezone,
        limited: providers.flatMap((one) => {
          const sentence = providerInWords(one, phaseOf(one, now), time);
          if (sentence === null) return [];
          const { phase, state, name, label } = providerRow(one, now);
          const since = one.changedAt && time(one.changedAt);
          return [{ name, label, phase, state, sentence, since, waits: phase === "paused" || phase === "blocked" }];
        }),
        providers: providerRows({ providers, now }),
        outcomes: outcomes.map(outcomesRow),
        outcomeDays,
        gmail: outcomes.some(({ name, complaintRate }) => complaintRate === null && isSilentAboutComplaints(name)),
        warmUp: showWarmUp(warmUp, language),
      },
    );
  }
}

function outcomesRow(one: ProviderRates) {
  const bounces = [
    ["hard", one.hard],
    ["soft", one.soft],
    ["policy", one.policy],
  ] as const;
  return {
    label: providerLabel(one.name),
    emails: number(one.emails),
    bounceRate: one.bounceRate === null ? null : percentInWords(one.bounceRate),
    bounces: bounces.flatMap(([kind, count]) => (count === 0 ? [] : [`${number(count)} ${kind}`])).join(", "),
    complaintRate: one.complaintRate === null ? null : percentInWords(one.complaintRate),
    complained: say("count.readers", { n: one.complained }),
    level: one.complaintLevel,
    silent: isSilentAboutComplaints(one.name),
  };
}

function showWarmUp(status: WarmUpStatus, language: string) {
  const { current, providers } = status;
  return {
    off: status.state === "off",
    sentence: warmUpInWords(status, (date) => longDate(date, language)),
    planned: (current?.planned ?? []).map((one) => ({
      date: shortDate(one.date, language),
      cap: one.cap && number(one.cap),
    })),
    providers: providers.map((one) => ({
      label: providerLabel(one.provider),
      readers: number(one.readers),
      sent: number(one.sent),
      leftOut: number(one.leftOut),
      servedFrom: one.servedFrom === null ? null : shortDate(one.servedFrom, language),
      now: one.servedFrom === current?.date,
    })),
  };
}
