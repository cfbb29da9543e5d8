import { openWording, type MessageKey, type MessageValues } from "../../src/texts/catalogue.ts";

/** What the pages and the API say for a key, so that a test asks for the text and not for its wording. */
export function textOf(key: MessageKey, values?: MessageValues, language = "en"): string {
  return openWording(language).say(key, values);
}
