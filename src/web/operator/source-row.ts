import { shownUrl } from "../../sources/address.ts";
import { unhealthyAfter, type Source } from "../../sources/store.ts";
import { shortMoment, span } from "./format.ts";

/** A source in lists. */
export function showSourceRow(
  source: Source,
  { now, timezone, language }: { now: Date; timezone: string; language: string },
): {
  id: number;
  feed: boolean;
  name: string;
  url: string | null;
  health: "well" | "failing" | "unread" | "api";
  words: string;
  tags: string[];
} {
  const url = source.url === null ? null : shownUrl(source.url);
  return {
    id: source.id,
    feed: source.kind === "feed",
    name: source.title ?? url ?? `Source ${source.id}`,
    url,
    ...healthOf(),
    tags: source.extra_tags,
  };

  function healthOf(): { health: "well" | "failing" | "unread" | "api"; words: string } {
    if (source.kind === "api") return { health: "api", words: "Receives articles through the API." };
    if (source.failures > 0) {
      const since =
        source.succeeded_at === null
          ? "Never read successfully."
          : `Last read ${shortMoment(source.succeeded_at, timezone, language)}.`;
      const times = source.failures === 1 ? "Failed once" : `Failed ${source.failures} times in a row`;
      const health = source.failures >= unhealthyAfter ? "failing" : "well";
      return { health, words: `${times}: ${(source.last_error ?? "unknown reason").replace(/\.$/, "")}. ${since}` };
    }
    if (source.succeeded_at === null) return { health: "unread", words: "Not read yet." };
    const read = `Read ${span(now.getTime() - source.succeeded_at.getTime())} ago.`;
    return { health: "well", words: source.problem === null ? read : `${read} ${source.problem}` };
  }
}
