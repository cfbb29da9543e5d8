import type { FastifyReply, FastifyRequest } from "fastify";

/** The result of a setup step, and the input to show again. */
export interface Told {
  step: "feed" | "publication" | "logo" | "schedule" | "relay" | "test";
  sentence: string;
  wrong: boolean;
  url?: string;
  /** The id of a previewed feed. */
  look?: string;
  publication?: Record<string, string>;
  /** Error messages of the publication's fields. */
  fields?: Record<string, string>;
  relay?: { host: string; port: string; user: string };
  /** The address for the test email. */
  address?: string;
  /** Environment variables to set. */
  lines?: string;
}

export interface Steps {
  /** Answers with the page. */
  tell(request: FastifyRequest, reply: FastifyReply, told?: Told): Promise<FastifyReply>;
  /** The same, with a refusal's message. @throws errors that are not a Refusal */
  refused(
    request: FastifyRequest,
    reply: FastifyReply,
    error: unknown,
    told: Omit<Told, "sentence" | "wrong">,
  ): Promise<FastifyReply>;
}
