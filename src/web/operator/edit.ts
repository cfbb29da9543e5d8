import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { comingEdition, type ComingEdition } from "../../editions/coming.ts";
import { editComing, type DraftChange } from "../../editions/edit.ts";
import { editHeld, type HeldChange } from "../../editions/edit-held.ts";
import { getEdition } from "../../editions/store.ts";
import { frozenArticleIds } from "../../editions/frozen-articles.ts";
import { parseEditionName } from "../../base/edition-name.ts";
import { readFields, type Fields } from "../pages/fields.ts";
import { needs } from "./desk.ts";

/** The buttons of an article in the next edition. */
const comingActs: Record<string, (coming: ComingEdition, id: number, fields: Fields) => DraftChange> = {
  lead: ({ draft }, id) => ({ first: [id, ...without(draft.first, id)], leftOut: without(draft.leftOut, id) }),
  up: (coming, id) => ({ first: moved(coming, id, -1) }),
  down: (coming, id) => ({ first: moved(coming, id, 1) }),
  out: ({ draft }, id) => ({ first: without(draft.first, id), leftOut: [...without(draft.leftOut, id), id] }),
  in: ({ draft }, id) => ({ leftOut: without(draft.leftOut, id) }),
  words: (_coming, id, fields) => ({ words: { [id]: { title: fields.one("title"), summary: fields.one("summary") } } }),
  original: (_coming, id) => ({ words: { [id]: { title: null, summary: null } } }),
};

/** The buttons of an article in a held edition, given its article ids in order. */
const heldActs: Record<string, (order: readonly number[], id: number, fields: Fields) => HeldChange> = {
  lead: (_order, id) => ({ first: [id] }),
  up: (order, id) => ({ first: swapped(order, id, -1) ?? [] }),
  down: (order, id) => ({ first: swapped(order, id, 1) ?? [] }),
  out: (_order, id) => ({ leaveOut: [id] }),
  in: (_order, id) => ({ takeBack: [id] }),
  hide: (_order, id) => ({ hide: [id] }),
  words: (_order, id, fields) => ({ words: { [id]: { title: fields.one("title"), summary: fields.one("summary") } } }),
};

/**
 * POST `…/words` and `…/articles/:id/:act`, below `/operator/preview` for the next edition, and below the edition's own
 * page for a held edition.
 */
export function addEditRoutes(web: FastifyInstance, app: App): void {
  const back = "/operator/preview?done=edit";

  web.post("/operator/preview/words", needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    await editComing(app, { change: wordsOf(fields), revision: revisionOf(fields), actor: request.operator.name });
    return reply.redirect(`${back}#edit`, 303);
  });

  web.post<{ Params: ActParams }>("/operator/preview/articles/:id/:act", needs.editor, async (request, reply) => {
    const [change, id] = actOf(comingActs, request.params);
    const fields = readFields(request.body);
    const actor = request.operator.name;
    const edit = change(await comingEdition(app), id, fields);
    await editComing(app, { change: edit, revision: revisionOf(fields), actor });
    return reply.redirect(`${back}#a${id}`, 303);
  });

  const backTo = (name: string): string => `/operator/preview?edition=${name}&done=edit`;

  web.post<{ Params: { name: string } }>("/operator/editions/:name/words", needs.editor, async (request, reply) => {
    const { name } = request.params;
    const fields = readFields(request.body);
    const edit = { change: wordsOf(fields), revision: heldRevisionOf(fields), actor: request.operator.name };
    await editHeld(app, { ...parseEditionName(name), ...edit });
    return reply.redirect(`${backTo(name)}#edit`, 303);
  });

  web.post<{ Params: ActParams & { name: string } }>(
    "/operator/editions/:name/articles/:id/:act",
    needs.editor,
    async (request, reply) => {
      const [act, id] = actOf(heldActs, request.params);
      const { date, number } = parseEditionName(request.params.name);
      const order = await frozenArticleIds(app.db, (await getEdition(app.db, date, number)).id);
      const fields = readFields(request.body);
      const change = act(order, id, fields);
      await editHeld(app, { date, number, change, revision: heldRevisionOf(fields), actor: request.operator.name });
      return reply.redirect(`${backTo(request.params.name)}#${change.hide ? "edit" : `a${id}`}`, 303);
    },
  );
}

interface ActParams {
  id: string;
  act: string;
}

function actOf<T>(acts: Record<string, T>, { id, act }: ActParams): [act: T, id: number] {
  const found = Object.hasOwn(acts, act) ? acts[act] : undefined;
  if (found && /^[1-9]\d{0,15}$/.test(id)) return [found, Number(id)];
  throw new Refusal(404, "page_not_found");
}

function wordsOf(fields: Fields): { introduction: string; subject: string } {
  return { introduction: fields.one("introduction"), subject: fields.one("subject") };
}

function revisionOf(fields: Fields): number | undefined {
  const raw = fields.one("revision");
  return /^\d{1,9}$/.test(raw) ? Number(raw) : undefined;
}

function heldRevisionOf(fields: Fields): string | undefined {
  return fields.one("revision") || undefined;
}

function without(ids: readonly number[], id: number): number[] {
  return ids.filter((one) => one !== id);
}

/** The beginning of the order after one move, up to the moved article and what was already fixed. */
function moved({ draft, articles }: ComingEdition, id: number, step: 1 | -1): number[] {
  const order = articles.filter(({ leftOut }) => !leftOut).map((article) => article.id);
  const now = swapped(order, id, step);
  if (!now) return draft.first;
  return now.slice(0, Math.max(draft.first.length, now.indexOf(id) + 1, order.indexOf(id) + 1));
}

/** null if the article cannot move in this direction. */
function swapped(order: readonly number[], id: number, step: 1 | -1): number[] | null {
  const from = order.indexOf(id);
  const to = from + step;
  if (from < 0 || to < 0 || to >= order.length) return null;
  return order.with(from, order[to]!).with(to, id);
}
