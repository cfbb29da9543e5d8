import { expect, test } from "vitest";
import { makeAssets } from "../../../src/web/assets.ts";
import { openWording } from "../../../src/texts/catalogue.ts";

test("the accent colour is readable in both colour schemes, and a different accent has a different file", () => {
  const assetsOf = (accent: string) => makeAssets(accent, openWording("en"));
  const style = (accent: string) => assetsOf(accent).files.get(assetsOf(accent).links.style.split("/").pop()!)!.content;
  expect(style("#ffff00")).not.toMatch(/--accent: #ffff00;\n}\n@media/);
  expect(style("#8a1c1c")).not.toContain("var(--accent-on");
  expect(assetsOf("#8a1c1c").links.style).not.toBe(assetsOf("#1c8a1c").links.style);
});
