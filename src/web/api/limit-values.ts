import { Transform, type Readable } from "node:stream";
import { Refusal } from "../../base/errors.ts";

/** Lists, objects, fields and items in a JSON body. 1,000 articles with 30 tags each have 41,000. */
const mostValues = 100_000;
/** Largest JSON body of any route, in bytes. */
const longestBody = 10_000_000;

const [quote, backslash, comma, openList, openObject] = Buffer.from('"\\,[{');

/**
 * Counts the values of a JSON body while it arrives. A body of 10 MB can hold three million values, which take seconds to
 * parse and to validate. It is read to its end, so that the client gets the answer.
 * @throws Refusal 413 for a body with more than 100,000 values
 */
export function limitValues(body: Readable): Readable {
  let values = 0;
  let bytes = 0;
  let inText = false;
  let escaped = false;
  const refusal = (): Refusal =>
    new Refusal(413, `The request has more than ${mostValues.toLocaleString("en")} values. Send it in parts.`);
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      for (const byte of chunk) {
        if (escaped) escaped = false;
        else if (inText) {
          if (byte === quote) inText = false;
          else if (byte === backslash) escaped = true;
        } else if (byte === quote) inText = true;
        else if (byte === comma || byte === openList || byte === openObject) values += 1;
      }
      if (values <= mostValues) done(null, chunk);
      else if (bytes > longestBody) done(refusal());
      else done();
    },
    flush: (done) => done(values > mostValues ? refusal() : null),
  });
  body.on("error", (error) => counted.destroy(error));
  return body.pipe(counted);
}
