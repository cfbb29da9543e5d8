import { judge, parseReply } from "../mail/verdict.ts";

/**
 * `hard`: the address does not exist. `soft`: the mailbox could not take this email. `policy`: this sender or this content was
 * refused, which says nothing about the address.
 */
export const bounceKinds = ["hard", "soft", "policy"] as const;
export type BounceKind = (typeof bounceKinds)[number];

/** RFC 3463: 5.2.3 and 5.3.4 are about the size of this email, 5.6.x about its content. */
const ofContent = /^5\.(?:2\.3|3\.4|6\.\d+)$/;

/**
 * What a bounce says about the address. It is judged like a reply to RCPT TO, so that an address fares the same whether the relay
 * or a later server refuses it. Without any code nothing says that the address does not exist, so the bounce is soft.
 * @param code an enhanced status code (RFC 3463), a reply code, or both, such as `550 5.1.1`
 * @param text the server's words, which may begin with the codes
 */
export function bounceKind(code: string | null, text: string | null): BounceKind {
  const said = parseReply(text ?? "");
  const enhanced = /(?:^|\s)([45]\.\d{1,3}\.\d{1,3})(?=\s|$)/.exec(code ?? "")?.[1] ?? said.enhanced;
  const reply = Number(/(?:^|\s)([45]\d\d)(?=\s|$)/.exec(code ?? "")?.[1] ?? said.code ?? replyFor(enhanced));
  if (Number.isNaN(reply)) return "soft";
  return kindOf({ ...said, code: reply, enhanced }, "soft");
}

/**
 * What the relay's last reply to a delivery that it never took says about the address, by the same rules. A relay that could not take
 * anything at all says nothing about an address.
 * @param reply with its codes, such as `452 4.2.2 Mailbox full`
 */
export function refusalKind(reply: string): BounceKind {
  const said = parseReply(reply);
  return said.code === null ? "policy" : kindOf(said, "policy");
}

function kindOf(said: ReturnType<typeof parseReply>, ofRelay: BounceKind): BounceKind {
  if (said.enhanced !== null && ofContent.test(said.enhanced)) return "policy";
  const verdict = judge({ stage: "rcpt", bodyEnded: false, error: null, ...said });
  if (verdict.kind === "rejected") {
    if (verdict.scope === "message") return "soft";
    return verdict.scope === "address" ? "hard" : "policy";
  }
  if (verdict.kind !== "deferred" || verdict.scope === "relay") return ofRelay;
  return verdict.scope === "provider" ? "policy" : "soft";
}

function replyFor(enhanced: string | null): number {
  if (enhanced === null) return Number.NaN;
  return enhanced.startsWith("5") ? 550 : 450;
}
