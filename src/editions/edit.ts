import { Refusal } from "../base/errors.ts";
import type { Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { comingArticles, type ComingDeps, comingEdition, type ComingEdition } from "./upcoming.ts";
import { beginDraft, type Draft, openDraft, ownLine, ownText, type OwnWords, saveDraft, untouched } from "./draft.ts";

/** What is left out stays as it is. */
export interface DraftChange {
  /** null takes it away. */
  introduction?: string | null | undefined;
  subject?: string | null | undefined;
  first?: readonly number[] | undefined;
  leftOut?: readonly number[] | undefined;
  /** By article id; a null gives the source's own words back, and null for the whole those of every article. */
  words?: Readonly<Record<string, WordsChange>> | null | undefined;
}

interface WordsChange {
  title?: string | null | undefined;
  summary?: string | null | undefined;
}

/**
 * Changes what the coming edition will be. Readers' mails stay their own: of the articles that are to come first, each
 * reader gets those that they follow.
 * @param request.revision as it was shown to the editor; a change that came between is refused
 * @throws Refusal 409 when somebody else has changed it, 422 for an article that does not wait for it, or a text too long
 */
export async function editComing(
  deps: ComingDeps,
  request: { change: DraftChange; revision?: number | undefined; actor: string },
): Promise<ComingEdition> {
  const { date } = await comingEdition(deps);
  const now = deps.clock.now();
  await deps.db.transaction().execute(async (tx) => {
    if (!(await openDraft(tx, date))) await beginDraft(tx, date, request.actor, now);
    const before = await openDraft(tx, date, true);
    if (!before) throw stale(date);
    if (request.revision !== undefined && request.revision !== before.revision) throw stale(date);
    const after = { ...before, ...(await applied(tx, now, before, request.change)) };
    await saveDraft(tx, after, { by: request.actor, now });
    await writeAudit(tx, {
      at: now,
      actor: request.actor,
      action: "edition edit",
      subject: date,
      detail: request.change,
    });
  });
  return comingEdition(deps);
}

async function applied(tx: Tx, now: Date, draft: Draft, change: DraftChange): Promise<Draft> {
  const { introduction, subject, first, leftOut, words } = change;
  const waiting = new Map((await comingArticles(tx, now, untouched)).map((article) => [article.id, article]));
  const named = [...(first ?? []), ...(leftOut ?? []), ...Object.keys(words ?? {}).map(Number)];
  const known = new Set([...waiting.keys(), ...draft.first, ...draft.leftOut, ...Object.keys(draft.words).map(Number)]);
  const stranger = named.find((id) => !known.has(id));
  if (stranger !== undefined) {
    throw new Refusal(422, "article_not_waiting", { article: stranger });
  }
  return {
    introduction: introduction === undefined ? draft.introduction : ownText(introduction),
    subject: subject === undefined ? draft.subject : ownLine("subject", subject),
    first: first === undefined ? draft.first : [...new Set(first)],
    leftOut: leftOut === undefined ? draft.leftOut : [...new Set(leftOut)],
    words: words === undefined ? draft.words : words === null ? {} : mergeWords(draft.words, words, waiting),
  };
}

type Sources = ReadonlyMap<number, { title: string; summary: string }>;

/** Texts equal to the source's are not kept as the editor's own, so that its later corrections still apply. */
function mergeWords(
  present: Draft["words"],
  change: NonNullable<DraftChange["words"]>,
  sources: Sources,
): Draft["words"] {
  const merged = { ...present };
  for (const [id, { title, summary }] of Object.entries(change)) {
    const own: OwnWords = { ...merged[id] };
    const source = sources.get(Number(id));
    if (title !== undefined) put(own, "title", title === source?.title ? null : ownLine("title", title));
    // An empty summary is an editor's wish too: the article is shown without one.
    if (summary === "" && source?.summary !== "") own.summary = "";
    else if (summary !== undefined) {
      put(own, "summary", summary === source?.summary ? null : ownLine("summary", summary));
    }
    if (Object.keys(own).length === 0) delete merged[id];
    else merged[id] = own;
  }
  return merged;
}

function put(own: OwnWords, name: keyof OwnWords, value: string | null): void {
  if (value === null) delete own[name];
  else own[name] = value;
}

function stale(date: string): Refusal {
  return new Refusal(409, "next_edition_changed", { date });
}
