import fc from "fast-check";
import { expect, test } from "vitest";
import { readTags, tagPath, tagQuery } from "../../../src/web/tag-query.ts";

test.each<[string, string[]]>([
  ["/sample", []],
  ["/sample?", []],
  ["/sample?tags=lg%20u%2B,huawei", ["lg u+", "huawei"]],
  ["/sample?tags=lg+u%2B%2Chuawei", ["lg u+", "huawei"]],
  ["/sample?tags=lg%20u+,huawei&view=text", ["lg u+", "huawei"]],
  ["/sample?tags=lg+u+", ["lg u+"]],
  ["/sample?tag=c++&tag=a%2Fb&tag=a/b", ["c++", "a/b", "a/b"]],
  ["/sample?tag=one,+two&tag=+1", ["one, two", "+1"]],
  ["/sample?tags=%ED%95%9C%EA%B5%AD,,%20,", ["한국"]],
  ["/sample?tag=100%&tag=%E0%A4&tag", ["100%", "\ufffd"]],
  ["/sample?tag=what?&x=tag=y", ["what?"]],
  ["/sample?tags=Seoul%2C%20Korea&tags=a%2Cb", ["Seoul, Korea", "a", "b"]],
  ["/sample?tags=lg%20u%2B,%20Korea", ["lg u+", "Korea"]],
  ["/operator/preview?tags=lg+u%2B%2C+Korea", ["lg u+", "Korea"]],
  ["/subscribe?tags=lg+u+,+Korea%2C++huawei", ["lg u+", "Korea", "huawei"]],
  ["/subscribe?tags=5g,%2B1", ["5g", "+1"]],
])("%s names %j", (url, tags) => {
  expect(readTags(url, (name) => name === "Seoul, Korea")).toEqual(tags);
});

test("a generated link is read back as the same tags", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => text.trim() !== "");
  fc.assert(
    fc.property(fc.array(name), (names) => {
      expect(readTags(`/sample${tagQuery(names, { view: "text" })}`, () => false)).toEqual(names);
    }),
  );
});

test.each([
  [".", "/tags/?tag=."],
  ["..", "/tags/?tag=.."],
  ["a/../b", "/tags/?tag=a%2F..%2Fb"],
  ["./x", "/tags/?tag=.%2Fx"],
  ["...", "/tags/..."],
  ["a.b", "/tags/a.b"],
  ["c++", "/tags/c%2B%2B"],
])("the page of %s is at %s, which no browser shortens", (name, path) => {
  expect(tagPath(name)).toBe(path);
  const { pathname, search } = new URL(path, "https://alerts.example/editions/2026");
  expect(pathname + search).toBe(path);
});
