import { expect, test } from "vitest";
import { checkBounce, judgeBounce } from "../../../src/cli/doctor/bounce.ts";
import type { BounceTestAnswer } from "../../../src/web/api/answers.ts";
import { movedClock } from "../../support/clock.ts";

const test1: BounceTestAnswer = {
  id: 1,
  address: "dayletter-bounce-test-1@news.org",
  state: "sent",
  detail: null,
  kind: null,
  startedAt: "2026-11-24T07:00:00.000Z",
  returned: null,
};
const returned = { at: "2026-11-24T07:00:09.400Z", code: "5.1.1", text: null };

test.each<[Partial<BounceTestAnswer>, string, string]>([
  [{ returned, kind: "hard" }, "ok", "after 9 s: 5.1.1"],
  [{ returned: { ...returned, at: "2026-11-24T06:59:59Z" }, kind: "hard" }, "ok", "after 0 s"],
  [{ returned: { ...returned, code: "5.2.2" }, kind: "soft" }, "warn", "5.2.2"],
  [{ returned: { ...returned, code: null }, kind: "soft" }, "warn", "exist."],
  [{ state: "sending", returned, kind: "hard" }, "ok", "after 9 s"],
  [{ state: "rejected", detail: "550 5.1.1 gone", kind: "hard" }, "ok", "(550 5.1.1 gone)"],
  [{ state: "rejected", detail: "550 5.7.1 no", kind: "policy" }, "fail", "550 5.7.1 no"],
  [{ state: "sent" }, "fail", "within 60 s"],
  [{ state: "unknown" }, "fail", "within 60 s"],
  [{ state: "deferred", detail: "450 later" }, "warn", "450 later"],
  [{ state: "pending" }, "fail", "dayletter status"],
  [{ state: "skipped", detail: "complained" }, "fail", "complained"],
])("%o", (change, level, part) => {
  expect(judgeBounce({ ...test1, ...change }, 60)).toMatchObject({ level, sentence: expect.stringContaining(part) });
});

/** A server whose test has these states, one after the other; the last one stays. */
function serverWith(...states: (Partial<BounceTestAnswer> | Error)[]) {
  const asked: string[] = [];
  const request = async (method: string, path: string): Promise<never> => {
    asked.push(`${method} ${path}`);
    if (method === "DELETE") return undefined as never;
    const state = states.length > 1 ? states.shift()! : states[0]!;
    if (state instanceof Error) throw state;
    return { ...test1, ...state } as never;
  };
  return { asked, client: () => ({ request }) as never };
}

test("looks until the bounce is there, and removes the test", async () => {
  const { asked, client } = serverWith({ state: "pending" }, { state: "sent" }, { returned, kind: "hard" });
  const clock = movedClock("2026-11-24T07:00:00Z");
  const notes: string[] = [];
  const wait = async (ms: number) => clock.advance(ms);
  const show = (seconds: number, note: string) => void notes.push(`${seconds} ${note}`);
  expect(await checkBounce({ client, clock, wait, show }, 60)).toMatchObject({ level: "ok" });
  expect(asked).toEqual(["POST /bounce-tests", "GET /bounce-tests/1", "GET /bounce-tests/1", "DELETE /bounce-tests/1"]);
  expect(notes).toHaveLength(2);
});

test("stops when the time is up, when it is interrupted and when the server is gone, and removes the test", async () => {
  const clock = movedClock("2026-11-24T07:00:00Z");
  const wait = async (ms: number) => clock.advance(ms);
  const show = () => undefined;
  const late = serverWith({ state: "sent" });
  expect(await checkBounce({ client: late.client, clock, wait, show }, 3)).toMatchObject({ level: "fail" });
  expect(late.asked).toHaveLength(8);
  const interrupted = serverWith({ state: "sent" });
  const abort = () => Promise.reject(Object.assign(new Error("aborted"), { name: "AbortError" }));
  expect(await checkBounce({ client: interrupted.client, clock, wait: abort, show }, 3)).toMatchObject({
    level: "fail",
    sentence: expect.stringMatching(/^Interrupted/),
  });
  const gone = serverWith({ state: "sent" }, new Error("the server is gone"));
  expect(await checkBounce({ client: gone.client, clock, wait, show }, 3)).toMatchObject({ level: "fail" });
  for (const { asked } of [late, interrupted, gone]) expect(asked.at(-1)).toBe("DELETE /bounce-tests/1");
});
