import { Hash, Tag, type Context, type Emitter, type Liquid, type TagToken, type TopLevelToken } from "liquidjs";
import { escapeHtml } from "../render/plain.ts";
import type { MessageKey, MessageValues, Wording } from "../wording/catalogue.ts";

/**
 * Teaches a template engine the tag `{% t confirm.title name: value, … %}`: the text of a key, filled in. Texts may hold
 * HTML; what fills them in is escaped.
 */
export function registerTextTag(engine: Liquid, wording: Wording): void {
  engine.registerTag(
    "t",
    class extends Tag {
      private readonly key: MessageKey;
      private readonly values: Hash;

      constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid) {
        super(token, remaining, liquid);
        const [key = "", ...values] = token.args.trim().split(/\s+/);
        this.key = key as MessageKey;
        // An unknown key is found when the template is read, not when a reader asks for the page.
        wording.raw(this.key);
        this.values = new Hash(values.join(" "));
      }

      *render(context: Context, emitter: Emitter): Generator<unknown, void, MessageValues> {
        const given = yield this.values.render(context);
        const shown = Object.entries(given).map(([name, value]) => [
          name,
          typeof value === "number" ? value : escapeHtml(value ?? ""),
        ]);
        emitter.write(wording.say(this.key, Object.fromEntries(shown) as MessageValues));
      }
    },
  );
}

const call = /\bt\("([\w.]+)"\)/g;

/** A script with its texts, `t("script.many")`, as literals of ASCII. */
export function fillScript(source: string, wording: Wording): string {
  return source.replace(call, (_whole, key: string) => asciiJson(wording.raw(key as MessageKey)));
}

/** JSON that reads the same whatever charset the page is in. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
