import { expect, test } from "vitest";
import { openWording } from "../../../src/texts/catalogue.ts";
import { problemOf } from "../../../src/web/failures.ts";

test("an unexpected error becomes a 500 that does not reveal it", () => {
  for (const thrown of [new Error("password=1"), { statusCode: 503, message: "secret" }, "text", undefined]) {
    expect(problemOf(thrown, undefined)).toMatchObject({
      status: 500,
      detail: openWording("en").say("error.internal"),
    });
  }
});
