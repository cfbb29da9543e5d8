import { sql } from "kysely";
import { domainOf } from "../base/address.ts";
import { remember } from "../base/remember.ts";
import type { BounceWays } from "../config/mail.ts";
import type { Db } from "../db/schema.ts";
import { getEditionById } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { loadStencil } from "./stencils.ts";
import { assemble, prepare } from "../render/assemble.ts";
import { fitPositions } from "../render/fit.ts";
import { senderOf } from "../render/publication.ts";
import type { Publication, ReaderMail } from "../render/types.ts";
import { envelopeSender } from "../mail/return-path.ts";
import { editionMessageId } from "../mail/message-id.ts";
import { mailLinks } from "../subscribers/tokens.ts";
import type { ClaimedDelivery } from "../deliveries/claims.ts";

const mostKept = 4;

/** Creates the emails of one edition. */
export interface MessageBuilder {
  /** The whole message for one reader. No line begins with a dot. */
  print(delivery: Pick<ClaimedDelivery, "address" | "key" | "positions" | "tagIds">, date: Date): Buffer;
  /** The envelope's sender of one reader's message. */
  from(delivery: Pick<ClaimedDelivery, "id" | "editionId" | "address">): string;
}

/** Return paths are made from the bounce address; without it, the publication's sender is used. */
export interface MessageBuilderOptions extends BounceWays {
  secret: string;
  publicUrl: string;
  maxArticles: number;
}

/**
 * A builder for an edition; null while it has not been rendered by this release or one with the same stencils. Its emails
 * come from the publication's sender as it is now, in the header and, without a bounce address, in the envelope.
 */
export async function openMessageBuilder(
  deps: { db: Db; options: MessageBuilderOptions; publication: Publication },
  editionId: number,
): Promise<MessageBuilder | null> {
  const { db, options, publication } = deps;
  const edition = await getEditionById(db, editionId);
  const stencil = await loadStencil(db, editionId);
  if (!edition || !stencil) return null;
  const prepared = prepare(stencil, senderOf(publication, edition));
  const tagNames = await frozenTagNames(db, editionId);
  const name = editionName(edition);
  const domain = await keepMailDomain(db, editionId, domainOf(publication.from.address));
  const fitted = new Map<string, ReturnType<typeof fitPositions>>();
  const fit = (positions: number[]): ReturnType<typeof fitPositions> => {
    const key = positions.join();
    const known = fitted.get(key) ?? fitPositions(stencil, positions, options.maxArticles);
    fitted.set(key, known);
    return known;
  };
  return {
    from: ({ id, editionId: of, address: to }) =>
      envelopeSender(options, { kind: "delivery", editionId: of, id }, { from: publication.from.address, to }),
    print(delivery, date) {
      const mail: ReaderMail = {
        to: delivery.address,
        messageId: editionMessageId(options.secret, name, delivery.key, domain),
        ...fit(delivery.positions),
        matchedTags: delivery.tagIds.length === 0 ? "all" : delivery.tagIds.flatMap((id) => tagNames.get(id) ?? []),
        links: readerLinks(options, delivery.key, name),
        date,
      };
      return assemble(prepared, mail);
    },
  };
}

/** Keeps the builders used last, for opening one parses a whole stencil. One that cannot be opened yet is asked for again. */
export function keepMessageBuilders(open: (editionId: number) => Promise<MessageBuilder | null>): typeof open {
  const kept = new Map<number, MessageBuilder>();
  return async (id) => {
    const builder = kept.get(id) ?? (await open(id));
    if (!builder) return null;
    remember(kept, id, builder, mostKept);
    return builder;
  };
}

/** The links at the top and bottom of a reader's email. */
export function readerLinks(options: MessageBuilderOptions, key: Buffer, edition: string): ReaderMail["links"] {
  return {
    ...mailLinks(options, key),
    moreUrl: `${options.publicUrl}/editions/${edition}`,
  };
}

/**
 * The domain of all Message-IDs of an edition. The sender of its first email sets it, so that a delivery has the same
 * Message-ID at every attempt.
 */
async function keepMailDomain(db: Db, editionId: number, domain: string): Promise<string> {
  const { rows } = await sql<{ kept: string }>`
    with first as (
      update editions set mail_domain = ${domain} where id = ${editionId} and mail_domain is null returning mail_domain
    )
    select mail_domain as kept from first union all
    select mail_domain from editions where id = ${editionId} and mail_domain is not null`.execute(db);
  if (rows[0]) return rows[0].kept;
  // Another process has set it since this statement began.
  const { mail_domain } = await db
    .selectFrom("editions")
    .select("mail_domain")
    .where("id", "=", editionId)
    .executeTakeFirstOrThrow();
  return mail_domain ?? domain;
}

/** Tag names as they were at the freeze, by id; without those that only articles had which were left out since. */
async function frozenTagNames(db: Db, editionId: number): Promise<Map<number, string>> {
  const { rows } = await sql<{ id: number; name: string }>`
    select distinct on (id) id, name from (
      select unnest(tag_ids) as id, jsonb_array_elements_text(snapshot -> 'tags') as name
      from edition_articles where edition_id = ${editionId}
    ) named order by id, name`.execute(db);
  return new Map(rows.map((row) => [row.id, row.name]));
}
