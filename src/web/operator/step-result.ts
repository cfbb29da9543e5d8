import type { FastifyReply, FastifyRequest } from "fastify";

/** What a step of the set-up has to say, and what was typed into it. */
export interface Told {
  step: "feed" | "publication" | "logo" | "schedule" | "relay" | "test";
  sentence: string;
  wrong: boolean;
  url?: string;
  /** A feed that was looked at. */
  look?: string;
  publication?: Record<string, string>;
  /** What is wrong with the fields of the publication. */
  fields?: Record<string, string>;
  relay?: { host: string; port: string; user: string };
  /** Where a test was to go. */
  address?: string;
  /** What to put into the environment. */
  lines?: string;
}

export interface Steps {
  /** Answers with the page. */
  tell(request: FastifyRequest, reply: FastifyReply, told?: Told): Promise<FastifyReply>;
  /** The same, with what was wrong. @throws whatever is no Refusal */
  refused(
    request: FastifyRequest,
    reply: FastifyReply,
    error: unknown,
    told: Omit<Told, "sentence" | "wrong">,
  ): Promise<FastifyReply>;
}
