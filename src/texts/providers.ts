import type { Phase, Standing } from "../providers/state.ts";
import { englishWording } from "./catalogue.ts";

const { say } = englishWording();

/** Names of large providers that are not their codes with capitals. */
const names: Readonly<Record<string, string>> = {
  apple: "Apple iCloud",
  gmx: "GMX, WEB.DE and mail.com",
  kakao: "Kakao and Daum",
  qq: "QQ Mail",
  netease: "NetEase",
  "mail-ru": "Mail.ru",
  "mailbox-org": "mailbox.org",
  sfr: "SFR",
  laposte: "La Poste",
  bt: "BT",
  tim: "TIM",
  "wp-pl": "WP.pl",
  "onet-pl": "Onet.pl",
  kpn: "KPN",
  docomo: "NTT Docomo",
  au: "au (KDDI)",
  uol: "UOL",
};

/** The name of a provider for people: the name of a large one, whose code has no dot, otherwise the domain. */
export function providerLabel(name: string): string {
  if (name.includes(".")) return name;
  return names[name] ?? name.replace(/(?:^|-)[a-z]/g, (start) => start.replace("-", " ").toUpperCase());
}

/** The phase of a provider in a word or two. */
export function phaseInWords(phase: Phase): string {
  return say(`provider.state.${phase}`);
}

/**
 * Why a provider gets fewer emails than others, as a sentence; null if it does not.
 * @param phase its phase now
 * @param time formats an instant
 */
export function providerInWords(
  provider: Standing & { name: string; reply: string | null },
  phase: Phase,
  time: (at: Date) => string,
): string | null {
  if (phase === "open") return null;
  return say(`provider.note.${phase}`, {
    provider: providerLabel(provider.name),
    next: provider.until === null ? "" : time(provider.until),
    width: provider.width ?? 1,
    reply: provider.reply ?? "none",
  });
}
