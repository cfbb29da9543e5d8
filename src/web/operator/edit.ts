import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import {
  applyForm,
  changedParts,
  draftChangeOf,
  heldChangeOf,
  moved,
  type EditedPart,
  type EditionForm,
} from "../../editions/edit-form.ts";
import { editComing } from "../../editions/edit.ts";
import { editHeld } from "../../editions/edit-held.ts";
import { draftLimits } from "../../editions/draft.ts";
import type { ComingArticle } from "../../editions/upcoming.ts";
import { sampleOfArticles, type SampleOf } from "../../editions/sample.ts";
import type { Edition } from "../../editions/store.ts";
import { editionName } from "../../base/edition-name.ts";
import type { Fields } from "../pages/fields.ts";
import { sayFailure } from "../../texts/catalogue.ts";

/** An edition with what an editor can change, as the form shows it. */
export interface EditedEdition {
  /** null for the next one. */
  edition: Edition | null;
  date: string;
  number: number;
  /** The revision shown. A change based on an outdated revision is refused. */
  revision: string;
  subject: string | null;
  introduction: string | null;
  /** Of the next edition: the ids that an editor has put first. */
  first: readonly number[];
  articles: ComingArticle[];
}

/** A form that was refused: what was typed, and what is wrong with which field. */
export interface RefusedForm {
  form: EditionForm;
  /** The field's name, such as `subject` or `title-3`; null for the whole form. */
  field: string | null;
  sentence: string;
  status: number;
}

/** A whole edition in one form, in bytes: a few hundred articles with their texts. */
export const longestEdit = 2_000_000;

const moves = { lead: "first", up: "up", down: "down" } as const;

/** The form of an edition as it was sent. */
export function readForm(fields: Fields): EditionForm {
  const ids = (name: string): number[] =>
    fields
      .all(name)
      .filter((id) => /^[1-9]\d{0,14}$/.test(id))
      .map(Number);
  const words: Record<string, { title?: string; summary?: string }> = {};
  for (const name of Object.keys(fields.raw)) {
    const [, field, id] = /^(title|summary)-([1-9]\d{0,14})$/.exec(name) ?? [];
    if (id !== undefined) words[id] = { ...words[id], [field!]: fields.one(name) };
  }
  return {
    ...(fields.has("subject") ? { subject: fields.one("subject") } : {}),
    ...(fields.has("introduction") ? { introduction: fields.one("introduction") } : {}),
    ...(fields.has("order") ? { order: ids("order") } : {}),
    leftOut: ids("out"),
    words,
  };
}

/** A sample copy of the edition as the form wants it. Nothing is saved. */
export function sampleOfForm(present: EditedEdition, form: EditionForm): SampleOf {
  const { date, number } = present;
  const wanted = applyForm(present, form);
  const shown = wanted.articles
    .filter(({ leftOut }) => !leftOut)
    .map(({ title, url, summary, tags, origin, publishedAt }, position) => ({
      position,
      title: title.trim() === "" ? "…" : title,
      url,
      summary,
      tags,
      origin,
      publishedAt,
    }));
  const words = { subject: wanted.subject || null, introduction: wanted.introduction || null };
  return sampleOfArticles({ date, number }, shown, `/editions/${editionName({ date, number })}`, words);
}

/**
 * Saves the form, with the action of its button: to move an article, to hide one, or to restore its source's texts.
 * @returns the parts that have changed, and the article to go back to
 */
export async function saveForm(
  app: Pick<App, "clock" | "db" | "options" | "publication" | "templates">,
  present: EditedEdition,
  fields: Fields,
  actor: string,
): Promise<{ parts: EditedPart[]; article: number | null }> {
  const { act, id } = actOf(fields.one("act"), present);
  const typed = readForm(fields);
  const form =
    act === "lead" || act === "up" || act === "down"
      ? { ...withOrder(typed, present), order: orderAfter(present, typed, id!, moves[act]) }
      : typed;
  const parts = changedParts(present, form);
  const revision = fields.one("revision") || undefined;
  if (present.edition === null) {
    const change = draftChangeOf(present, present, form);
    const restored = act === "original" ? { words: { ...change.words, [id!]: { title: null, summary: null } } } : {};
    if (parts.length > 0 || act === "original") {
      const known = revision === undefined ? undefined : Number(revision);
      await editComing(app, { change: { ...change, ...restored }, revision: known, actor });
    }
  } else {
    const change = heldChangeOf(present, form);
    const hide = act === "hide" ? [id!] : [];
    const first = change.first?.filter((one) => !hide.includes(one));
    if (parts.length > 0 || hide.length > 0) {
      const { date, number } = present;
      const held = { ...change, ...(first ? { first } : {}), hide };
      await editHeld(app, { date, number, change: held, revision, actor });
    }
  }
  const also: EditedPart[] = act === "original" ? ["texts"] : act === "hide" ? ["left_out"] : [];
  return { parts: [...new Set([...parts, ...also])], article: act === "hide" ? null : id };
}

/** What is wrong with which field of a form. */
export function refusedForm(error: Refusal, fields: Fields): RefusedForm {
  const form = readForm(fields);
  return { form, field: fieldOf(error, form), sentence: sayFailure(error), status: error.status };
}

function fieldOf({ code, details }: Refusal, form: EditionForm): string | null {
  if (code === "article_title_empty") return `title-${String(details["article"])}`;
  if (code !== "edition_text_too_long") return null;
  const field = details["field"];
  if (field === "subject" || field === "introduction") return field;
  if (field !== "title" && field !== "summary") return null;
  const found = Object.entries(form.words).find(([, words]) => (words[field] ?? "").length > draftLimits[field]);
  return found ? `${field}-${found[0]}` : null;
}

type Act = keyof typeof moves | "hide" | "original" | null;

function actOf(raw: string, { edition, articles }: EditedEdition): { act: Act; id: number | null } {
  if (raw === "") return { act: null, id: null };
  const [act, number] = raw.split(":");
  const id = Number(number);
  const known = ["lead", "up", "down", edition === null ? "original" : "hide"] as const;
  const found = known.find((one) => one === act);
  if (found === undefined || !articles.some((one) => one.id === id)) throw new Refusal(404, "page_not_found");
  return { act: found, id };
}

function withOrder(form: EditionForm, present: EditedEdition): EditionForm {
  if (form.order !== undefined) return form;
  return { ...form, leftOut: present.articles.filter(({ leftOut }) => leftOut).map((article) => article.id) };
}

function orderAfter(present: EditedEdition, form: EditionForm, id: number, to: "first" | "up" | "down"): number[] {
  const wanted = applyForm(present, form);
  const order = wanted.articles.map((article) => article.id);
  return moved(wanted, order, id, to);
}

/** Answers the form of the next edition (null) or of a held one. */
export type EditHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
  edition: Edition | null,
) => Promise<FastifyReply>;

/** POST `…/save` and `…/look`, below `/operator/preview` for the next edition and below its own page for a held one. */
export function addEditRoutes(
  web: FastifyInstance,
  act: "save" | "look",
  find: (name: string) => Promise<Edition>,
  handle: EditHandler,
): void {
  const options = { config: { role: "editor" }, bodyLimit: longestEdit } as const;
  web.post(`/operator/preview/${act}`, options, (request, reply) => handle(request, reply, null));
  web.post<{ Params: { name: string } }>(`/operator/editions/:name/${act}`, options, async (request, reply) =>
    handle(request, reply, await find(request.params.name)),
  );
}
