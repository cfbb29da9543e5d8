/** The result of one check. The sentence of a warning or failure says what to do. */
export interface Check {
  name: string;
  level: "ok" | "warn" | "fail";
  sentence: string;
}

export const ok = (name: string, sentence: string): Check => ({ name, level: "ok", sentence });
export const warn = (name: string, sentence: string): Check => ({ name, level: "warn", sentence });
export const fail = (name: string, sentence: string): Check => ({ name, level: "fail", sentence });

/** The last line: `9 checks: 7 ok, 1 warning, 1 failure.` */
export function summary(checks: readonly Check[]): string {
  const of = (level: Check["level"]): number => checks.filter((check) => check.level === level).length;
  const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;
  return `${plural(checks.length, "check")}: ${of("ok")} ok, ${plural(of("warn"), "warning")}, ${plural(of("fail"), "failure")}.`;
}
