import { echo, Refusal } from "../base/errors.ts";
import { cleanTag, cleanTags, tagKey } from "../articles/tags.ts";
import { writeAudit } from "../audit/audit.ts";
import { shownUrl } from "./address.ts";
import { fetchFeed } from "./fetch.ts";
import { pollSource, type PollDeps, type PollResult } from "./poll.ts";
import { addFeeds, getSource, type Source } from "./store.ts";

/**
 * Adds a feed and ingests its articles. The feed is read once before it is stored, so that a wrong address is refused.
 * @param request.tags added to every article of the source
 * @param request.rename the feed's spelling of a tag, and the name to store instead
 * @throws Refusal 422 or 502 when it cannot be read as a feed, 409 when it is already a source
 */
export async function addSource(
  deps: PollDeps,
  request: { url: string; tags: string[]; rename: Record<string, string>; actor: string },
): Promise<{ source: Source; poll: PollResult }> {
  const answer = await fetchFeed(deps.fetch, { url: request.url, etag: null, lastModified: null });
  if (answer.kind === "fetched") await deps.parse(answer);
  const now = deps.clock.now();
  const feed = { url: request.url, extraTags: cleanTags(request.tags), renamedTags: renames(request.rename) };
  const [id] = await addFeeds(deps.db, [feed], now);
  if (id === undefined) throw new Refusal(409, "source_exists", { url: shownUrl(request.url) });
  const shown = shownUrl(request.url);
  await writeAudit(deps.db, {
    at: now,
    actor: request.actor,
    action: "source add",
    subject: shown,
    detail: { ...feed, url: shown },
  });
  const poll = await pollSource(deps, id, { force: true });
  return { source: await getSource(deps.db, id), poll };
}

function renames(given: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).map(([from, to]) => {
      const name = cleanTag(to);
      if (name === null) throw new Refusal(422, "source_tag_invalid", { name: echo(to) });
      return [tagKey(from), name];
    }),
  );
}
