import fc from "fast-check";
import { expect, it } from "vitest";
import { createMutex } from "../../../src/db/mutex.ts";

it("lets in one at a time, in the order in which they asked, whatever each does inside", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(fc.boolean(), { maxLength: 20 }), async (scheduler, leavesTwice) => {
      const mutex = createMutex();
      const entered: number[] = [];
      let inside = 0;
      const visits = leavesTwice.map(async (twice, visitor) => {
        const leave = await mutex.enter();
        entered.push(visitor);
        inside += 1;
        expect(inside).toBe(1);
        await scheduler.schedule(Promise.resolve());
        inside -= 1;
        leave();
        if (twice) leave();
      });
      await scheduler.waitFor(Promise.all(visits));
      expect(entered).toEqual(leavesTwice.map((_, visitor) => visitor));
    }),
  );
});
