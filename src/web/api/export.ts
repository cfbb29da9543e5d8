import type { Db, SubscriberStatus } from "../../db/schema.ts";
import { joinTags } from "../../subscribers/import-rows.ts";
import { csvLines } from "../../subscribers/spreadsheet.ts";
import { listSubscribers, type Subscriber } from "../../subscribers/store.ts";

const pageSize = 1_000;
const header = ["address", "status", "all_tags", "tags", "confirmed_at", "timezone"];

/** Subscribers as CSV in a format that an import can read. */
export async function* exportCsv(db: Db, status?: SubscriberStatus): AsyncGenerator<string> {
  yield csvLines([header]);
  for await (const page of pages(db, status)) {
    yield csvLines(
      page.map((one) => [
        one.address,
        one.status,
        String(one.allTags),
        joinTags(one.tags),
        one.confirmedAt?.toISOString() ?? "",
        one.timezone ?? "",
      ]),
    );
  }
}

export async function* exportNdjson(db: Db, status?: SubscriberStatus): AsyncGenerator<string> {
  for await (const page of pages(db, status)) {
    yield page
      .map((one) => {
        const { address, tags, confirmedAt, timezone } = one;
        const row = { address, status: one.status, all_tags: one.allTags, tags, confirmed_at: confirmedAt, timezone };
        return `${JSON.stringify(row)}\n`;
      })
      .join("");
  }
}

async function* pages(db: Db, status?: SubscriberStatus): AsyncGenerator<Subscriber[]> {
  for (let after = 0; ;) {
    const page = await listSubscribers(db, { after, limit: pageSize, ...(status === undefined ? {} : { status }) });
    const last = page.at(-1);
    if (!last) return;
    yield page;
    after = last.id;
  }
}
