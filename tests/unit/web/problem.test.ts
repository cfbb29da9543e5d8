import { expect, test } from "vitest";
import { problemOf } from "../../../src/web/problem.ts";

test("what is not meant for people becomes a 500 that says nothing of it", () => {
  for (const thrown of [new Error("password=1"), { statusCode: 503, message: "secret" }, "text", undefined]) {
    const { status, detail } = problemOf(thrown, undefined);
    expect({ status, detail }).toEqual({
      status: 500,
      detail: "Something went wrong on this server: its log says what.",
    });
  }
});
