import type { DraftChange } from "./edit.ts";
import type { HeldChange } from "./edit-held.ts";
import type { EditionWords } from "../render/types.ts";

/** An editor's form for a whole edition: every part as it is to be. What is left out stays as it is. */
export interface EditionForm {
  subject?: string;
  introduction?: string;
  /** Ids of all articles in their order, those that are left out included. Without it, `leftOut` is not read. */
  order?: readonly number[];
  leftOut: readonly number[];
  /** By article id. */
  words: Readonly<Record<string, { title?: string; summary?: string }>>;
}

/** The parts of an edition that an editor changes. */
export type EditedPart = "subject" | "introduction" | "order" | "left_out" | "texts";

export interface EditableArticle {
  id: number;
  title: string;
  summary: string;
  leftOut: boolean;
}

export interface Editable<A extends EditableArticle = EditableArticle> extends EditionWords {
  articles: readonly A[];
}

/** The edition as the form wants it. Articles that came since the form was shown are at the end. */
export function applyForm<A extends EditableArticle>(present: Editable<A>, form: EditionForm): Editable<A> {
  const place = new Map(form.order?.map((id, i) => [id, i]));
  const out = new Set(form.leftOut);
  const articles = present.articles.map((article) => ({
    ...article,
    ...form.words[article.id],
    leftOut: form.order === undefined || !place.has(article.id) ? article.leftOut : out.has(article.id),
  }));
  const at = ({ id }: A): number => place.get(id) ?? place.size;
  return {
    subject: form.subject ?? present.subject,
    introduction: form.introduction ?? present.introduction,
    articles: form.order === undefined ? articles : articles.toSorted((a, b) => at(a) - at(b)),
  };
}

interface Difference {
  parts: EditedPart[];
  subject?: string;
  introduction?: string;
  /** The articles in their wanted order, without those left out; undefined if the order is the same. */
  order?: number[];
  /** How many of `order` must be fixed: the others come in this order by themselves. */
  fixed: number;
  leaveOut: number[];
  takeBack: number[];
  words: Record<string, { title?: string; summary?: string }>;
}

function differenceOf(present: Editable, form: EditionForm): Difference {
  const wanted = applyForm(present, form);
  const before = new Map(present.articles.map((article) => [article.id, article]));
  const leaveOut = wanted.articles.filter(({ id, leftOut }) => leftOut && !before.get(id)!.leftOut).map(idOf);
  const takeBack = wanted.articles.filter(({ id, leftOut }) => !leftOut && before.get(id)!.leftOut).map(idOf);
  const order = wanted.articles.filter(({ leftOut }) => !leftOut).map(idOf);
  const stays = new Set(order);
  const presentOrder = present.articles.map(idOf).filter((id) => stays.has(id));
  const fixed = order.findLastIndex((id, i) => id !== presentOrder[i]) + 1;
  const words: Difference["words"] = {};
  for (const { id, title, summary } of wanted.articles) {
    const shown = before.get(id)!;
    const own = {
      ...(differs(title, shown.title) ? { title } : {}),
      ...(differs(summary, shown.summary) ? { summary } : {}),
    };
    if (Object.keys(own).length > 0) words[id] = own;
  }
  const subject = differs(form.subject, present.subject) ? form.subject : undefined;
  const introduction = differs(form.introduction, present.introduction) ? form.introduction : undefined;
  const parts: [EditedPart, boolean][] = [
    ["subject", subject !== undefined],
    ["introduction", introduction !== undefined],
    ["order", fixed > 0],
    ["left_out", leaveOut.length + takeBack.length > 0],
    ["texts", Object.keys(words).length > 0],
  ];
  return {
    parts: parts.filter(([, changed]) => changed).map(([part]) => part),
    ...(subject === undefined ? {} : { subject }),
    ...(introduction === undefined ? {} : { introduction }),
    ...(fixed > 0 ? { order } : {}),
    fixed,
    leaveOut,
    takeBack,
    words,
  };
}

/** The parts in which the form differs from the edition. */
export function changedParts(present: Editable, form: EditionForm): EditedPart[] {
  return differenceOf(present, form).parts;
}

/** The same as a change of the next edition. The order is fixed no further than the form needs. */
export function draftChangeOf(present: Editable, draft: { first: readonly number[] }, form: EditionForm): DraftChange {
  const { subject, introduction, order, fixed, leaveOut, takeBack, words } = differenceOf(present, form);
  const leftOut = applyForm(present, form).articles.filter((article) => article.leftOut);
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(introduction === undefined ? {} : { introduction }),
    ...(order === undefined ? {} : { first: order.slice(0, Math.max(fixed, draft.first.length)) }),
    ...(leaveOut.length + takeBack.length === 0 ? {} : { leftOut: leftOut.map(idOf) }),
    ...(Object.keys(words).length === 0 ? {} : { words }),
  };
}

/** The same as a change of a held edition. */
export function heldChangeOf(present: Editable, form: EditionForm): HeldChange {
  const { subject, introduction, order, leaveOut, takeBack, words } = differenceOf(present, form);
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(introduction === undefined ? {} : { introduction }),
    ...(order === undefined ? {} : { first: order }),
    leaveOut,
    takeBack,
    words,
  };
}

/** The order of the articles after one move of an article that is not left out. */
export function moved(present: Editable, order: readonly number[], id: number, to: "first" | "up" | "down"): number[] {
  const out = new Set(present.articles.filter(({ leftOut }) => leftOut).map(idOf));
  const shown = order.filter((one) => !out.has(one));
  const from = shown.indexOf(id);
  if (from < 0) return [...order];
  const at = to === "first" ? 0 : to === "up" ? from - 1 : from + 1;
  const rest = shown.toSpliced(from, 1).toSpliced(Math.max(0, at), 0, id);
  return [...rest, ...order.filter((one) => out.has(one))];
}

/** Browsers send line breaks as CRLF. */
function differs(typed: string | null | undefined, present: string | null): boolean {
  return typed !== undefined && (typed ?? "").replaceAll("\r\n", "\n").trim() !== (present ?? "").trim();
}

function idOf({ id }: { id: number }): number {
  return id;
}
