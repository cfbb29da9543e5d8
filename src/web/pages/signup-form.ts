import type { FastifyRequest } from "fastify";
import { tagKey } from "../../articles/tags.ts";
import type { Catalogue } from "../catalogue.ts";
import { readTags } from "../tag-query.ts";
import { readFields, type Fields } from "./fields.ts";
import { makeOffers } from "./offers.ts";
import { zoneName } from "./zones.ts";

/** What a reader has put into the sign-up form. */
export interface Filled {
  address: string;
  tags: string[];
  allTags: boolean;
  /** As sent; "" is the publication's zone. */
  timezone: string;
  /** What is searched for among the tags. */
  query: string;
}

/** What is wrong, a sentence each, by the field it belongs to; `form` is none of them. */
export type Wrong = Partial<Record<"address" | "tags" | "timezone" | "form", string>>;

/** What a template shows; see templates/web/signup-form.liquid. */
export type FormValues = ReturnType<typeof showForm>;

const longestAddress = 320;

export function readFilled(fields: Fields): Filled {
  return {
    address: fields.one("address").trim().slice(0, longestAddress),
    tags: fields.all("tags"),
    allTags: fields.one("all") === "1",
    timezone: fields.one("timezone").trim(),
    query: fields.one("q").slice(0, 100),
  };
}

/**
 * Whether the form asks for other tags to choose from, and not to sign up. Enter in the address field presses a form's
 * first button, which is that of the search: so the search counts only if what is searched for is new.
 */
export function isSearch(fields: Fields): boolean {
  return fields.has("find") && fields.one("q").trim() !== fields.one("shown");
}

/**
 * The form as a link asks for it: `?tags=lg%20u%2B,huawei`. Whoever makes a link may not choose for the reader: tags are
 * ticked only when one of our own pages, or one of a site that the articles come from, led here.
 */
export function readLink(
  request: FastifyRequest,
  catalogue: Catalogue,
): { filled: Filled; brought: string[]; trusted: boolean } {
  const filled = { ...readFilled(readFields(request.query)), address: "", timezone: "" };
  const brought = readTags(request.url, (name) => catalogue.get(name) !== undefined).slice(0, 50);
  const trusted = comesFromUs(request, catalogue);
  return { filled: { ...filled, tags: trusted ? brought : [], allTags: trusted && filled.allTags }, brought, trusted };
}

/** No browser lets a page forge these headers (Fetch Metadata; Fetch, "forbidden request-header"). */
function comesFromUs({ headers }: FastifyRequest, catalogue: Catalogue): boolean {
  if (headers["sec-fetch-site"] === "same-origin") return true;
  const { referer } = headers;
  return referer !== undefined && headers["sec-fetch-site"] !== "none" && catalogue.isOwnSite(referer);
}

export function showForm(
  catalogue: Catalogue,
  filled: Filled,
  more: {
    brought?: readonly string[];
    trusted?: boolean;
    wrong?: Wrong;
    wording: string;
    ownZone: string;
    sendAt: string;
    guard: { t: string; challenge: boolean };
    zones: string;
    language: string;
  },
) {
  const { brought = [], trusted = false, wrong = {} } = more;
  const offers = makeOffers(
    catalogue,
    { first: [...brought, ...filled.tags], chosen: filled.tags, query: filled.query },
    more.language,
  );
  return {
    ...filled,
    offers,
    brought: brought.some((tag) => catalogue.get(tag)) ? (trusted ? "ticked" : "unticked") : null,
    strangers: brought
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "" && !catalogue.get(tag) && !catalogue.hidden.has(tagKey(tag)))
      .map((tag) => tag.slice(0, 60)),
    wrong: { address: null, tags: null, timezone: null, form: null, ...wrong },
    zones: more.zones,
    zoneName: filled.timezone === "" ? null : zoneName(filled.timezone),
    wording: more.wording,
    ownZone: more.ownZone,
    sendAt: more.sendAt,
    guard: more.guard,
  };
}
