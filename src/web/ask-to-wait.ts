import type { FastifyReply } from "fastify";

/** Says when to ask again (RFC 9110, 10.2.3), where the details of a refusal have that. */
export function askToWait(reply: FastifyReply, details: Readonly<Record<string, unknown>>): FastifyReply {
  const seconds = details["retryAfterSeconds"];
  return typeof seconds === "number" ? reply.header("retry-after", Math.ceil(seconds)) : reply;
}
