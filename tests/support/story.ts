import { actOnEdition } from "../../src/editions/operator-actions.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import type { EditionAction } from "../../src/editions/state.ts";
import { getEdition, type Edition } from "../../src/editions/store.ts";
import { editionStatus, type EditionStatus } from "../../src/alerts/status.ts";
import { startWorker } from "../../src/worker.ts";
import { movedClock, type MovedClock } from "./clock.ts";
import type { allEngines } from "./engines.ts";
import { addAllNewsReaders, addArticle } from "./readers.ts";
import { startSink, type Answer, type Sink, type SinkOptions } from "./sink.ts";
import { eventually, openWorld, type World } from "./world.ts";

const date = "2026-11-24";
/** When a story begins. */
export const storyStart = new Date(`${date}T07:00:00Z`);

/** The program with a worker, a relay, and readers who wait for an edition with one article. */
export interface Story {
  world: World;
  sink: Sink;
  clock: MovedClock;
  /** Sends the edition. */
  send(): Promise<void>;
  /** What an operator does with the edition. */
  act(action: EditionAction): ReturnType<typeof actOnEdition>;
  /** Lets the program look for what is due. */
  look(): Promise<void>;
  /** Resolves when no job runs or waits. */
  idle(): Promise<void>;
  /** Resolves when the edition has this state. */
  state(name: string): Promise<Edition>;
  /** The edition's balance. */
  sums(): Promise<EditionStatus["balance"]>;
  /** How many messages for this domain the relay has accepted. */
  sent(domain: string): number;
  /** How often the relay was asked to take one for this domain. */
  tried(domain: string): number;
  end(): Promise<void>;
}

export async function tellStory({
  open,
  readers,
  relay = {},
  env = {},
}: {
  open: (typeof allEngines)[number]["open"];
  readers: readonly string[];
  relay?: SinkOptions;
  env?: Record<string, string>;
}): Promise<Story> {
  const clock = movedClock(storyStart.toISOString());
  const engines = await open();
  const asked = new Map<string, number>();
  const sink = await startSink({
    ...relay,
    onRcpt(to): Answer {
      const domain = to.slice(to.indexOf("@") + 1);
      asked.set(domain, (asked.get(domain) ?? 0) + 1);
      return relay.onRcpt?.(to) ?? null;
    },
  });
  const world = await openWorld({ clock, env: { ...engines.env, SMTP_URL: sink.url, SLICE_SIZE: "50", ...env } });
  const { app } = world;
  const worker = await startWorker(app);
  await addAllNewsReaders(app, [...readers]);
  await addArticle(app, "News");
  const edition = () => getEdition(app.db, date);
  return {
    world,
    sink,
    clock,
    async send() {
      await sendNow(app, { extra: false, actor: "test" });
    },
    async act(action) {
      const acted = await actOnEdition(app, { date, number: 1, action, actor: "test" });
      if (acted.edition.state === "sending") await app.wake("queue-slices", { editionId: acted.edition.id });
      return acted;
    },
    look: () => app.wake("recover", {}),
    async idle() {
      await eventually("no job runs or waits", async () => {
        const counts = await Promise.all(
          [app.queues.editions, app.queues.deliveries].map((queue) => queue.getJobCounts("active", "waiting")),
        );
        return counts.every((one) => Object.values(one).every((n) => n === 0));
      });
    },
    state: (name) =>
      eventually(`the edition is ${name}`, async () => {
        const found = await edition();
        return found.state === name ? found : null;
      }),
    sums: async () => (await editionStatus(app.db, await edition())).balance,
    sent: (domain) => sink.messages.filter(({ to }) => to.endsWith(`@${domain}`)).length,
    tried: (domain) => asked.get(domain) ?? 0,
    async end() {
      await worker.stop();
      await world.close();
      await Promise.all([sink.close(), engines.close()]);
    },
  };
}
