import { expect, test } from "vitest";
import {
  effectText,
  hideEffects,
  mergeEffects,
  renameEffects,
  unaliasEffects,
  unhideEffects,
  type Effect,
} from "../../../src/web/tag-texts.ts";
import { textOf } from "../../support/text.ts";

const reach = { readers: 12, onlyThis: 4, waiting: 3, waitingOnly: 1 };
const none = { readers: 0, onlyThis: 0, waiting: 0, waitingOnly: 0 };
const keys = (effects: readonly Effect[]) => effects.map(({ key }) => key);

test("hiding a tag says who gets no email, and which articles only readers of all news get", () => {
  expect(hideEffects(reach)).toEqual([
    { key: "effect.hide", values: {} },
    { key: "effect.hide_followers", values: { n: 12 } },
    { key: "effect.hide_only_this", values: { n: 4 } },
    { key: "effect.hide_waiting", values: { waiting: 3, n: 1 } },
    { key: "effect.frozen_stay", values: {} },
  ]);
  expect(keys(hideEffects(none))).toEqual(["effect.hide", "effect.no_reader", "effect.frozen_stay"]);
});

test("showing a tag again says for whom, and with which articles", () => {
  expect(unhideEffects(reach)).toEqual([
    { key: "effect.unhide", values: {} },
    { key: "effect.unhide_followers", values: { n: 12 } },
    { key: "effect.unhide_waiting", values: { n: 3 } },
  ]);
  expect(keys(unhideEffects({ ...none, waiting: 3 }))).toEqual(["effect.unhide", "effect.no_reader"]);
});

test("renaming a tag promises an alias only where there is one", () => {
  expect(keys(renameEffects({ from: "a", to: "b", spelling: false }, none))).toContain("effect.rename_alias");
  expect(keys(renameEffects({ from: "a", to: "A", spelling: true }, none))).not.toContain("effect.rename_alias");
});

test("merging tags says when one of the two is hidden", () => {
  const [from, into] = [
    { name: "a", hidden: false },
    { name: "b", hidden: true },
  ];
  expect(keys(mergeEffects({ from, into }, reach))).toContain("effect.merge_into_hidden");
  expect(keys(mergeEffects({ from: into, into: from }, reach))).toContain("effect.merge_from_hidden");
  expect(keys(mergeEffects({ from, into: { name: "b", hidden: false } }, reach))).toEqual([
    "effect.merge",
    "effect.merge_final",
  ]);
});

test("removing a spelling of a hidden tag says that the new tag is not hidden", () => {
  const effects = unaliasEffects({ alias: "a", tag: { name: "b", hidden: true } });
  expect(keys(effects)).toEqual([
    "effect.remove_spelling",
    "effect.remove_spelling_hidden",
    "effect.remove_spelling_kept",
  ]);
});

test("the effects of a change are one text", () => {
  expect(effectText(hideEffects(none))).toBe(
    [textOf("effect.hide"), textOf("effect.no_reader"), textOf("effect.frozen_stay")].join(" "),
  );
});
