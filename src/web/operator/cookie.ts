import type { FastifyReply, FastifyRequest } from "fastify";
import { deviceMs } from "../../operators/devices.ts";
import { absoluteMs } from "../../operators/sessions.ts";

export interface OperatorCookie {
  read(request: FastifyRequest): string | null;
  set(reply: FastifyReply, value: string): void;
  clear(reply: FastifyReply): void;
}

/** The session cookie. */
export function sessionCookie(publicUrl: string): OperatorCookie {
  return hostCookie(publicUrl, { name: "dayletter", value: /^[\w-]{20,100}$/, ms: absoluteMs });
}

/** The cookie of a browser that has signed in before; see `knownDevice`. */
export function deviceCookie(publicUrl: string): OperatorCookie {
  return hostCookie(publicUrl, { name: "dayletter-device", value: /^[\w.~-]{20,400}$/, ms: deviceMs });
}

/** With https, the `__Host-` prefix prevents other hosts and unencrypted connections from setting it (RFC 6265bis, 4.1.3.2). */
function hostCookie(publicUrl: string, cookie: { name: string; value: RegExp; ms: number }): OperatorCookie {
  const secure = publicUrl.startsWith("https://");
  const name = secure ? `__Host-${cookie.name}` : cookie.name;
  const rest = `Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
  return {
    read({ headers }) {
      const values = (headers.cookie ?? "").split(";").map((pair) => pair.trim());
      const own = values.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
      return own.find((value) => cookie.value.test(value)) ?? null;
    },
    set: (reply, value) => void reply.header("set-cookie", `${name}=${value}; ${rest}; Max-Age=${cookie.ms / 1_000}`),
    clear: (reply) => void reply.header("set-cookie", `${name}=; ${rest}; Max-Age=0`),
  };
}
