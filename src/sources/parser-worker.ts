import { parentPort } from "node:worker_threads";
import { reasonOf, Refusal } from "../base/errors.ts";
import { clip } from "../render/plain.ts";
import { decodeFeed } from "./charset.ts";
import { refuse } from "./parse-document.ts";
import { parseFeed, type ParsedFeed } from "./parse.ts";

/** A feed as it was fetched. */
export interface FetchedDocument {
  bytes: Uint8Array;
  /** The Content-Type header. */
  contentType: string | null;
  /** Where it came from: the base of its links. */
  url: string;
}

/** The worker's only message besides the first, which says that it is ready. */
export type ParserAnswer = { feed: ParsedFeed } | { refusal: { status: number; message: string } };

/** Started by `openFeedParser`: parses one document for each message. */
parentPort?.on("message", (document: FetchedDocument) => parentPort?.postMessage(answer(document)));
parentPort?.postMessage("ready");

function answer({ bytes, contentType, url }: FetchedDocument): ParserAnswer {
  try {
    return { feed: parseFeed(decodeFeed(bytes, contentType), url) };
  } catch (error) {
    const reason = clip(reasonOf(error).replace(/\.$/, ""), 120);
    const { status, message } = error instanceof Refusal ? error : refuse(url, `could not be read (${reason})`);
    return { refusal: { status, message } };
  }
}
