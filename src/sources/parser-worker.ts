import { parentPort } from "node:worker_threads";
import { reasonOf, Refusal } from "../base/errors.ts";
import { clip } from "../render/plain.ts";
import type { ErrorCode } from "../texts/catalogue.ts";
import { decodeFeed } from "./charset.ts";
import { refuse } from "./parse-document.ts";
import { parseFeed, type ParsedFeed } from "./parse.ts";
import { defaultOptions, type ReadOptions } from "./parse-item.ts";

/** A fetched feed, and how to read it. */
export interface FetchedDocument extends Partial<ReadOptions> {
  bytes: Uint8Array;
  /** The Content-Type header. */
  contentType: string | null;
  /** The address it was fetched from, which is the base of its links. */
  url: string;
}

/** The worker's answer to a document. Its first message, "ready", is the only other one. */
export type ParserAnswer =
  | { feed: ParsedFeed }
  | { refusal: Pick<Refusal, "status" | "details"> & { code: ErrorCode } };

/** Started by `openFeedParser`: parses one document for each message. */
parentPort?.on("message", (document: FetchedDocument) => parentPort?.postMessage(answer(document)));
parentPort?.postMessage("ready");

function answer({ bytes, contentType, url, ...options }: FetchedDocument): ParserAnswer {
  try {
    return { feed: parseFeed(decodeFeed(bytes, contentType), url, { ...defaultOptions, ...options }) };
  } catch (error) {
    const reason = clip(reasonOf(error).replace(/\.$/, ""), 120);
    const { status, code, details } = error instanceof Refusal ? error : refuse(url, "feed_unreadable", { reason });
    return { refusal: { status, code: code!, details } };
  }
}
