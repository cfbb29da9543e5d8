/**
 * Loaded into the built program with `NODE_OPTIONS=--import=…`: adds the milliseconds in the file CLOCK_FILE to its time of
 * day. The file may change while the program runs. Timers keep their real durations.
 */
import { readFileSync } from "node:fs";

const Real = Date;
const file = process.env["CLOCK_FILE"] ?? "";
let offset = 0;

function look() {
  try {
    offset = Number(readFileSync(file, "utf8")) || 0;
  } catch {
    offset = 0;
  }
}

const now = () => Real.now() + offset;

look();
setInterval(look, 200).unref();
globalThis.Date = new Proxy(Real, {
  construct: (target, given, self) => Reflect.construct(target, given.length === 0 ? [now()] : given, self),
  apply: () => new Real(now()).toString(),
  get: (target, name, self) => (name === "now" ? now : Reflect.get(target, name, self)),
});
