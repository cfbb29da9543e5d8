import type { FastifyReply, FastifyRequest } from "fastify";
import { absoluteMs } from "../../operators/sessions.ts";

/** The browser's part of a session. */
export interface SessionCookie {
  read(request: FastifyRequest): string | null;
  set(reply: FastifyReply, token: string): void;
  clear(reply: FastifyReply): void;
}

/** With https, `__Host-`: no other host can set it, and it never travels unencrypted (RFC 6265bis, 4.1.3.2). */
export function sessionCookie(publicUrl: string): SessionCookie {
  const secure = publicUrl.startsWith("https://");
  const name = secure ? "__Host-dayletter" : "dayletter";
  const rest = `Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
  const pattern = new RegExp(`(?:^|;)\\s*${name}=([\\w-]{20,100})\\s*(?:;|$)`);
  return {
    read: ({ headers }) => pattern.exec(headers.cookie ?? "")?.[1] ?? null,
    set: (reply, token) => void reply.header("set-cookie", `${name}=${token}; ${rest}; Max-Age=${absoluteMs / 1_000}`),
    clear: (reply) => void reply.header("set-cookie", `${name}=; ${rest}; Max-Age=0`),
  };
}
