import { describe, expect, it } from "vitest";
import { Refusal } from "../../../src/base/errors.ts";
import { dataFolderFault, readIfThere, writePrivate } from "../../../src/base/private-file.ts";
import { lockDataFolder } from "../../../src/db/lock.ts";

const failed = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

describe("a data folder of another user", () => {
  it.each(["EACCES", "EPERM"])("is told with the user id and the command that helps (%s)", (code) => {
    const fault = dataFolderFault("/data", "writable", failed(code), 1000);
    expect(fault).toBeInstanceOf(Refusal);
    expect(fault).toMatchObject({ code: "data_dir_not_writable", details: { folder: "/data", uid: "1000" } });
  });

  it("is not blamed for what has another cause", () => {
    const error = failed("ENOSPC");
    expect(dataFolderFault("/data", "writable", error)).toBe(error);
  });

  // Nobody may make a folder in sysfs, not even root; in a container it is read-only.
  const closed = "/sys/dayletter-test";
  const code: unknown = expect.stringMatching(/^data_dir_(not_writable|read_only)$/);
  it.each([
    ["the lock of the embedded database", () => lockDataFolder(closed, "serve")],
    ["the files beside PostgreSQL", async () => writePrivate(`${closed}/token`, "x")],
  ])("is refused with one sentence: %s", async (_what, write) => {
    await expect(write()).rejects.toMatchObject({ code, details: { folder: closed } });
  });

  it("has no file where there is no folder", () => {
    expect(readIfThere(`${closed}/token`)).toBe(null);
  });
});
