import type { FastifyReply, FastifyRequest } from "fastify";
import { expect, test } from "vitest";
import { sessionCookie } from "../../../src/web/operator/session.ts";

const token = "t".repeat(43);

function set(publicUrl: string): string {
  let header = "";
  const reply = { header: (_name: string, value: string) => (header = value) } as unknown as FastifyReply;
  sessionCookie(publicUrl).set(reply, token);
  return header;
}

test("with https the cookie is bound to the host and to encryption, without https to the host only", () => {
  expect(set("https://alerts.example")).toBe(
    `__Host-dayletter=${token}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=1209600`,
  );
  expect(set("http://localhost:3000")).toBe(`dayletter=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600`);
});

test.each([
  [`__Host-dayletter=${token}`, token],
  [`a=b; __Host-dayletter=${token}; c=d`, token],
  [`dayletter=${token}`, null],
  [`x__Host-dayletter=${token}`, null],
  ["__Host-dayletter=", null],
  [`__Host-dayletter=${token}"`, null],
  ["", null],
])("the token in the header %j is %j", (cookie, wanted) => {
  expect(sessionCookie("https://alerts.example").read({ headers: { cookie } } as FastifyRequest)).toBe(wanted);
});
