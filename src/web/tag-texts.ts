import type { FoundTag } from "../articles/tag-find.ts";
import type { TagReach } from "../articles/tag-reach.ts";
import { count, number } from "./operator/format.ts";

/** A tag, as far as words tell of it. */
interface ShownTag {
  name: string;
  hidden: boolean;
}

export function shownTag({ name, hidden_at }: FoundTag): ShownTag {
  return { name, hidden: hidden_at !== null };
}

/** What hiding a tag will do, before it is done. */
export function hideWords({ readers, onlyThis, waiting, waitingOnly }: TagReach): string {
  const [gets, has] = [onlyThis === 1 ? "gets" : "get", waitingOnly === 1 ? "has" : "have"];
  return [
    "It is no longer offered to readers, nor shown on articles.",
    readers === 0
      ? "No reader follows it."
      : `${count(readers, "reader")} ${follow(readers)} it: they keep it, and it brings them nothing until you show it again.`,
    onlyThis === 0
      ? ""
      : `${ofThem(onlyThis, readers)} ${follow(onlyThis)} nothing else, and ${gets} no mail until then.`,
    waitingOnly === 0
      ? ""
      : `Of ${count(waiting, "article")} for the next edition with it, ${number(waitingOnly)} ${has} no other tag: only readers of all news get that.`,
    "Editions that are frozen stay as they are.",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

/** What showing it again will do. */
export function unhideWords({ readers, waiting }: TagReach): string {
  const first =
    waiting === 0 ? "" : `, with the ${count(waiting, "article")} that ${waiting === 1 ? "waits" : "wait"} now`;
  return (
    "It is offered to readers again, and shown on articles. " +
    (readers === 0
      ? "No reader follows it."
      : `${count(readers, "reader")} ${follow(readers)} it and ${readers === 1 ? "gets" : "get"} its news again from the next edition on${first}.`)
  );
}

/** What a renaming will do. @param spelling only another way to write the same name */
export function renameWords(
  { from, to, spelling }: { from: string; to: string; spelling: boolean },
  { readers }: TagReach,
): string {
  return [
    `Pages and the editions from the next one on say “${to}”; editions that are frozen keep “${from}”.`,
    readers === 0 ? "" : `${count(readers, "reader")} ${follow(readers)} it as before.`,
    spelling ? "" : `“${from}” stays as another spelling: feeds that send it and links to it lead to “${to}”.`,
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

/** What a merge will do. */
export function mergeWords({ from, into }: { from: ShownTag; into: ShownTag }, reach: TagReach): string {
  const readers = count(reach.readers, "reader");
  return [
    `${readers} of “${from.name}” ${follow(reach.readers)} “${into.name}” from then on, and articles with either tag count as one.`,
    into.hidden && !from.hidden ? `“${into.name}” is hidden, so none of them gets news of it until you show it.` : "",
    from.hidden && !into.hidden ? `“${from.name}” is hidden and “${into.name}” is not: they get its news again.` : "",
    `“${from.name}” stays as another spelling. It cannot be taken apart again.`,
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

/** What taking a spelling from a tag will do. */
export function unaliasWords({ alias, tag }: { alias: string; tag: ShownTag }): string {
  return [
    `Articles that come with “${alias}” from then on have a tag of that name, and links with it no longer lead to “${tag.name}”.`,
    tag.hidden ? `“${tag.name}” is hidden; the new tag will not be.` : "",
    `Articles and readers of “${tag.name}” keep it.`,
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

function follow(readers: number): string {
  return readers === 1 ? "follows" : "follow";
}

function ofThem(some: number, all: number): string {
  if (some < all) return `${number(some)} of them`;
  return all === 1 ? "That reader" : "All of them";
}
