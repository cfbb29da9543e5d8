import type { FoundTag, TagReach } from "../articles/tag-store.ts";
import { englishWording, type MessageValues, type MessageKey } from "../texts/catalogue.ts";

/** One sentence about what a change of a tag does. */
export interface Effect {
  key: MessageKey;
  values: MessageValues;
}

interface ShownTag {
  name: string;
  hidden: boolean;
}

export function shownTag({ name, hidden_at }: FoundTag): ShownTag {
  return { name, hidden: hidden_at !== null };
}

export function effectText(effects: readonly Effect[]): string {
  const { say } = englishWording();
  return effects.map(({ key, values }) => say(key, values)).join(" ");
}

export function hideEffects({ readers, onlyThis, waiting, waitingOnly }: TagReach): Effect[] {
  return [
    effect("effect.hide"),
    readers === 0 ? effect("effect.no_reader") : effect("effect.hide_followers", { n: readers }),
    ...(onlyThis === 0 ? [] : [effect("effect.hide_only_this", { n: onlyThis })]),
    ...(waitingOnly === 0 ? [] : [effect("effect.hide_waiting", { waiting, n: waitingOnly })]),
    effect("effect.frozen_stay"),
  ];
}

export function unhideEffects({ readers, waiting }: TagReach): Effect[] {
  return [
    effect("effect.unhide"),
    readers === 0 ? effect("effect.no_reader") : effect("effect.unhide_followers", { n: readers }),
    ...(readers === 0 || waiting === 0 ? [] : [effect("effect.unhide_waiting", { n: waiting })]),
  ];
}

/** @param names.spelling whether the new name is only another way to write the same one */
export function renameEffects(
  { from, to, spelling }: { from: string; to: string; spelling: boolean },
  { readers }: TagReach,
): Effect[] {
  return [
    effect("effect.rename", { from, to }),
    ...(readers === 0 ? [] : [effect("effect.rename_followers", { n: readers })]),
    ...(spelling ? [] : [effect("effect.rename_alias", { from })]),
  ];
}

export function mergeEffects({ from, into }: { from: ShownTag; into: ShownTag }, reach: TagReach): Effect[] {
  const names = { from: from.name, into: into.name };
  return [
    effect("effect.merge", { n: reach.readers, ...names }),
    ...(into.hidden && !from.hidden ? [effect("effect.merge_into_hidden", { into: into.name })] : []),
    ...(from.hidden && !into.hidden ? [effect("effect.merge_from_hidden", names)] : []),
    effect("effect.merge_final", { from: from.name }),
  ];
}

export function unaliasEffects({ alias, tag }: { alias: string; tag: ShownTag }): Effect[] {
  return [
    effect("effect.remove_spelling", { alias, tag: tag.name }),
    ...(tag.hidden ? [effect("effect.remove_spelling_hidden", { tag: tag.name })] : []),
    effect("effect.remove_spelling_kept", { tag: tag.name }),
  ];
}

function effect(key: MessageKey, values: MessageValues = {}): Effect {
  return { key, values };
}
