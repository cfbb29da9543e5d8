import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { App } from "../../src/app.ts";
import { silentLog } from "../../src/base/log.ts";
import { status } from "../../src/alerts/status.ts";
import { keepSchedules, schedulesAre } from "../../src/schedule/schedulers.ts";
import { adoptSettings, changeSchedule } from "../../src/editions/change-schedule.ts";
import { movedClock } from "../support/clock.ts";
import { allEngines } from "../support/engines.ts";
import { openTwoNodes, type TwoNodes } from "../support/two-nodes.ts";

describe.each(allEngines)("two nodes whose settings name different hours, on $name", (engines) => {
  const clock = movedClock("2026-11-24T12:00Z");
  let two: TwoNodes;
  /** What each said, and its look every few seconds. */
  let nodes: { app: App; said: [fields: object, text: string][]; look(): Promise<void> }[];

  beforeAll(async () => {
    two = await openTwoNodes(engines, clock, { SEND_AT: "08:30", TIMEZONE: "Asia/Seoul", SEND_DAYS: "mon-fri" });
    nodes = two.nodes.map((app) => {
      const said: [object, string][] = [];
      const log = { ...silentLog, warn: (fields: object, text: string) => void said.push([fields, text]) };
      return { app, said, look: keepSchedules({ ...app, log }) };
    });
    for (const { app } of nodes) await adoptSettings(app);
    for (let turn = 0; turn < 3; turn++) for (const node of nodes) await node.look();
  });
  afterAll(() => two?.close());

  const both = (schedule: string[]): string[][] => [schedule, schedule];
  const inForce = async () =>
    Promise.all(
      nodes.map(async ({ app }) => {
        const { schedule } = await status(app);
        expect(await schedulesAre(app.queues, schedule)).toBe(true);
        return [schedule.sendAt, schedule.timezone, schedule.sendDays.join("")];
      }),
    );

  test("go by one schedule, that of the node which started last, and do not set it back and forth", async () => {
    expect(await inForce()).toEqual(both(["08:30", "Asia/Seoul", "12345"]));
    const lost = nodes.flatMap(({ said }) => said.filter(([, text]) => text.includes("lost its schedules")));
    expect(lost.length).toBeLessThan(2);
  });

  test("the one whose settings do not count says so, once, with both", async () => {
    const told = nodes.map(({ said }) => said.filter(([, text]) => text.includes("settings")));
    expect(told).toEqual([
      [
        [
          {
            node: hostname(),
            settings: "TIMEZONE=UTC SEND_AT=07:00 SEND_DAYS=mon,tue,wed,thu,fri,sat,sun",
            inForce: "TIMEZONE=Asia/Seoul SEND_AT=08:30 SEND_DAYS=mon,tue,wed,thu,fri",
          },
          expect.stringMatching(
            /^the schedule in this node's settings is ignored, .* Give all nodes the same settings/,
          ),
        ],
      ],
      [],
    ]);
  });

  test("an operator's change on either counts on both, and leaves alone what it does not name", async () => {
    await changeSchedule(nodes[0]!.app, { sendAt: "09:00" }, { actor: "ada", passed: "skip" });
    expect(await inForce()).toEqual(both(["09:00", "Asia/Seoul", "12345"]));
    // The hour is an operator's, whichever node starts.
    expect(await adoptSettings(nodes[0]!.app)).toBe(true);
    await nodes[0]!.look();
    expect(await inForce()).toEqual(both(["09:00", "UTC", "1234567"]));
  });
});
