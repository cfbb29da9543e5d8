import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clockFrom, type EditionShown } from "../support/publication.ts";
import { startSink } from "../support/sink.ts";
import { eventually } from "../support/world.ts";
import { startProduct } from "./product.ts";

export interface FirstEmail {
  /** From the hour until the first email is at the relay. */
  ms: number;
  /** An email of the edition, of middle size, as it came. */
  message: Buffer;
}

const dayMs = 86_400_000;
/** The processes start this long before their hour. */
const leadMs = 30_000;
/** Enough emails to know the usual size. */
const looked = 101;

/** Lets an edition leave by its schedule, and cancels it when its first emails are there. */
export async function firstEmailOfTheHour(env: Record<string, string>): Promise<FirstEmail> {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-bench-"));
  const clock = join(folder, "clock");
  // The processes' clocks are moved, so that their hour, noon, is near: the next one, as an edition of yesterday is missed.
  const hour = Date.now() + leadMs;
  const noon = Math.ceil(hour / dayMs) * dayMs + dayMs / 2;
  writeFileSync(clock, String(noon - hour));
  const sink = await startSink();
  const product = await startProduct({
    env: { ...env, SMTP_URL: sink.url, SEND_AT: "12:00", ...clockFrom(clock) },
  });
  try {
    await product.api.addArticles();
    if (Date.now() > hour) throw new Error("The processes took too long to start.");
    await sink.waitFor(looked);
    const [{ name }] = (await product.api.get<{ editions: [EditionShown] }>("/editions?limit=1")).editions;
    await product.api.post(`/editions/${name}/cancel`, {});
    await eventually("nothing is at the relay", async () => {
      const { balance } = await product.api.get<EditionShown>(`/editions/${name}`);
      return balance.sending === 0;
    });
    const bySize = sink.messages.map(({ raw }) => raw).toSorted((a, b) => a.length - b.length);
    return { ms: sink.messages[0]!.receivedAt.getTime() - hour, message: bySize[Math.floor(bySize.length / 2)]! };
  } finally {
    await product.stop();
    await sink.close();
    rmSync(folder, { recursive: true });
  }
}
