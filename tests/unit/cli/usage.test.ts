import { describe, expect, test } from "vitest";
import { ApiError, failure } from "../../../src/cli/failure.ts";
import { execute } from "./execute.ts";

const nowhere = { DATA_DIR: "/nonexistent/dayletter" };
const closed = { DAYLETTER_URL: "http://127.0.0.1:3", DAYLETTER_TOKEN: "t".repeat(32) };

describe("wrong usage exits with 2 and one clear message", () => {
  test.each<[string, string[], RegExp]>([
    ["no command", [], /Usage: dayletter/],
    ["an unknown command", ["sned"], /unknown command 'sned'/],
    ["a misspelt subcommand", ["edition", "snd"], /Did you mean send/],
    ["an unknown option", ["status", "--jsn"], /unknown option '--jsn'/],
    ["a missing argument", ["subscribers", "add"], /missing required argument 'address'/],
    ["too many arguments", ["status", "now"], /too many arguments/],
    ["a reader who follows nothing", ["subscribers", "add", "a@b.example"], /at least one --tag, or --all-tags/],
    ["no date", ["edition", "pause", "2026-02-30"], /"2026-02-30" is not a date/],
    ["no edition", ["edition", "show", "2026-11-24.x"], /"2026-11-24.x" is not an edition/],
    ["no feed address", ["sources", "add", "ftp://news.example/feed"], /is not the URL of a feed/],
    ["no id", ["articles", "hide", "first"], /"first" is not an ID/],
    ["no renaming", ["sources", "add", "https://news.example/", "--rename", "5g"], /Use OLD=NEW/],
    ["no zone of a feed", ["sources", "edit", "1", "--timezone", "Mars/Olympus"], /"Mars\/Olympus" is not a time zone/],
    ["no change of a feed", ["sources", "edit", "1"], /Nothing to change/],
    ["no time", ["schedule", "set", "--at", "25:00"], /"25:00" is not a time of day/],
    ["no zone", ["schedule", "set", "--timezone", "Mars/Olympus"], /"Mars\/Olympus" is not a time zone/],
    ["no days", ["schedule", "set", "--days", "someday"], /"someday" is not a set of weekdays/],
    ["no change", ["schedule", "set"], /Nothing to change/],
    ["no format", ["edition", "preview", "--as", "pdf"], /Use text, html or eml/],
    ["two formats", ["sample", "--html", "--eml"], /'--html' cannot be used with option '--eml'/],
    ["no status", ["subscribers", "list", "--status", "asleep"], /"asleep" is not a status/],
    ["no limit", ["articles", "list", "--limit", "0"], /a whole number from 1 to 1000/],
    ["a file that is not there", ["articles", "add", "--file", "/nonexistent.json"], /cannot be read \(ENOENT\)/],
    ["no list to import", ["subscribers", "import", "/nonexistent.csv"], /cannot be read \(ENOENT\)/],
  ])("%s", async (_what, argv, sentence) => {
    const { code, stdout, stderr } = await execute(argv, closed);
    expect(code).toBe(2);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stdout).toBe("");
  });

  test("settings that are wrong are all named", async () => {
    const { code, stderr } = await execute(["status"], { PORT: "abc", TIMEZONE: "Mars" });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^2 settings are wrong:\n {2}PORT: "abc" is not .*\n {2}TIMEZONE: "Mars" is not .*\n$/);
  });

  test("what is no JSON", async () => {
    const { code, stderr } = await execute(["articles", "add", "--file", "-"], closed, "{title:");
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^standard input is not valid JSON .*\. It must contain one article or a list of articles\.\n$/,
    );
  });
});

describe("a missing server exits with 1 and a hint to start it", () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ["none is known", nowhere, /^No running server found in \/nonexistent\/dayletter\. Start the server/],
    ["none answers", closed, /^No server answers at http:\/\/127\.0\.0\.1:3\. Start the server/],
  ])("%s", async (_what, env, sentence) => {
    const { code, stderr } = await execute(["status"], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });
});

test.each([[["--help"]], [["--version"]], [["edition", "send", "--help"]]])(
  "%j exits with 0, whatever the settings",
  async (argv) => {
    const { code, stdout } = await execute(argv, { PORT: "abc" });
    expect(code).toBe(0);
    expect(stdout).not.toBe("");
  },
);

test.each(["edition_exists", "passed_date_too_old", "passed_date_undecided"])(
  "a refusal with the code %s gets a hint that names an option of the command",
  (code) => {
    const { lines } = failure(new ApiError(409, "No.", { code }), false);
    expect(lines).toEqual(["No.", expect.stringContaining(" --")]);
  },
);

test("all faults of a request are printed", () => {
  const details = { faults: [{ sentence: "limit is wrong." }, { sentence: "after is wrong." }] };
  expect(failure(new ApiError(422, "limit is wrong.", { details }), false)).toEqual({
    code: 1,
    lines: ["limit is wrong.", "  after is wrong."],
  });
});
