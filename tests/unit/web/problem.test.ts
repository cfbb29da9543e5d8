import { expect, test } from "vitest";
import { openWording } from "../../../src/wording/catalogue.ts";
import { problemOf } from "../../../src/web/problem.ts";

test("what is not meant for people becomes a 500 that says nothing of it", () => {
  for (const thrown of [new Error("password=1"), { statusCode: 503, message: "secret" }, "text", undefined]) {
    expect(problemOf(thrown, undefined)).toMatchObject({
      status: 500,
      detail: openWording("en").say("error.internal"),
    });
  }
});
