import { createHmac, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { Refusal } from "../../base/errors.ts";

/** The CSRF token of a session. */
export function csrfToken(secret: string, sessionHash: Buffer): string {
  return createHmac("sha256", secret).update("csrf:").update(sessionHash).digest("base64url");
}

/**
 * Reads the token from the field `csrf` or, for scripts, from the header `x-csrf-token`.
 * @throws Refusal 403
 */
export function checkCsrf({ body, headers }: FastifyRequest, expected: string): void {
  const field = typeof body === "object" && body !== null ? (body as Record<string, unknown>)["csrf"] : undefined;
  const given = headers["x-csrf-token"] ?? field;
  const wanted = Buffer.from(expected);
  const got = Buffer.from(typeof given === "string" ? given : "");
  if (got.length === wanted.length && timingSafeEqual(got, wanted)) return;
  throw new Refusal(403, "form_session_changed");
}
