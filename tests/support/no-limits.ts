import type { Rooms } from "../../src/providers/providers.ts";

/** For claims in tests that are not about mailbox providers: each of them may get everything. */
export const noLimits = (): Rooms => ({ closed: [], apart: [], units: [], rooms: [], others: 1_000_000 });
