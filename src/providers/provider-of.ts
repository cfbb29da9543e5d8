/** Large mailbox providers: their own domains, and the host names of their MX records (each with what is below it). */
const large: Readonly<Record<string, { domains: string; mx: string }>> = {
  google: { domains: "gmail.com googlemail.com google.com", mx: "google.com googlemail.com" },
  microsoft: {
    domains:
      "outlook.com hotmail.com live.com msn.com passport.com windowslive.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it " +
      "hotmail.es hotmail.ca hotmail.nl hotmail.be hotmail.se hotmail.co.jp hotmail.com.br hotmail.com.ar outlook.de outlook.fr " +
      "outlook.es outlook.it outlook.jp outlook.kr outlook.at outlook.be outlook.dk outlook.pt outlook.com.br outlook.co.id " +
      "live.co.uk live.fr live.de live.it live.nl live.be live.se live.dk live.no live.ca live.at live.cn live.jp live.co.kr " +
      "live.com.au live.com.mx live.com.pt",
    mx: "mail.protection.outlook.com olc.protection.outlook.com mx.microsoft hotmail.com",
  },
  yahoo: {
    domains:
      "yahoo.com ymail.com rocketmail.com myyahoo.com aol.com aim.com aol.co.uk aol.de aol.fr yahoo.co.uk yahoo.fr yahoo.de " +
      "yahoo.it yahoo.es yahoo.ca yahoo.ie yahoo.gr yahoo.se yahoo.no yahoo.dk yahoo.pl yahoo.ro yahoo.in yahoo.co.in " +
      "yahoo.co.id yahoo.co.kr yahoo.com.au yahoo.com.br yahoo.com.ar yahoo.com.mx yahoo.com.hk yahoo.com.sg yahoo.com.tw " +
      "yahoo.com.ph yahoo.com.vn verizon.net netscape.net att.net sbcglobal.net bellsouth.net pacbell.net ameritech.net " +
      "sky.com rogers.com",
    mx: "yahoodns.net",
  },
  "yahoo-japan": { domains: "yahoo.co.jp ymail.ne.jp", mx: "yahoo.co.jp" },
  apple: {
    domains: "icloud.com me.com mac.com privaterelay.appleid.com",
    mx: "icloud.com apple.com",
  },
  gmx: {
    domains:
      "gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.fr gmx.co.uk gmx.es gmx.us gmx.org gmx.eu gmx.info web.de email.de mail.com " +
      "email.com usa.com post.com consultant.com engineer.com europe.com online.de",
    mx: "gmx.net web.de mail.com kundenserver.de ionos.de ionos.com",
  },
  telekom: { domains: "t-online.de magenta.de", mx: "t-online.de" },
  freenet: { domains: "freenet.de", mx: "freenet.de" },
  naver: { domains: "naver.com", mx: "naver.com worksmobile.com" },
  kakao: { domains: "daum.net hanmail.net kakao.com", mx: "hanmail.net daum.net kakao.com" },
  nate: { domains: "nate.com empas.com", mx: "nate.com" },
  qq: { domains: "qq.com vip.qq.com foxmail.com", mx: "qq.com" },
  netease: {
    domains: "163.com 126.com yeah.net vip.163.com vip.126.com 188.com",
    mx: "163.com 126.com netease.com 163mx01.mxmail.netease.com",
  },
  sina: { domains: "sina.com sina.cn vip.sina.com", mx: "sina.com.cn sina.com" },
  alibaba: { domains: "aliyun.com", mx: "aliyun.com mxhichina.com" },
  yandex: {
    domains: "yandex.ru yandex.com ya.ru yandex.by yandex.kz yandex.ua",
    mx: "yandex.ru yandex.net yandex.com",
  },
  "mail-ru": { domains: "mail.ru bk.ru inbox.ru list.ru internet.ru vk.com", mx: "mail.ru" },
  rambler: { domains: "rambler.ru lenta.ru autorambler.ru myrambler.ru", mx: "rambler.ru" },
  proton: { domains: "proton.me protonmail.com protonmail.ch pm.me", mx: "protonmail.ch" },
  fastmail: { domains: "fastmail.com fastmail.fm", mx: "messagingengine.com" },
  zoho: { domains: "zoho.com zohomail.com zoho.eu zoho.in", mx: "zoho.com zoho.eu zoho.in zohomail.com" },
  tuta: { domains: "tuta.com tutanota.com tutanota.de tuta.io tutamail.com keemail.me", mx: "tutanota.de" },
  posteo: { domains: "posteo.de posteo.net", mx: "posteo.de" },
  "mailbox-org": { domains: "mailbox.org", mx: "mailbox.org" },
  orange: { domains: "orange.fr wanadoo.fr", mx: "orange.fr" },
  free: { domains: "free.fr aliceadsl.fr", mx: "free.fr" },
  sfr: { domains: "sfr.fr neuf.fr cegetel.net club-internet.fr", mx: "sfr.fr" },
  laposte: { domains: "laposte.net", mx: "laposte.net" },
  comcast: { domains: "comcast.net xfinity.com", mx: "comcast.net" },
  charter: { domains: "charter.net spectrum.net roadrunner.com rr.com twc.com", mx: "charter.net spectrum.net" },
  cox: { domains: "cox.net", mx: "cox.net" },
  bt: { domains: "btinternet.com btopenworld.com", mx: "btinternet.com" },
  "virgin-media": { domains: "virginmedia.com ntlworld.com blueyonder.co.uk virgin.net", mx: "virginmedia.com" },
  libero: { domains: "libero.it iol.it inwind.it blu.it giallo.it", mx: "libero.it" },
  tim: { domains: "tim.it alice.it tin.it virgilio.it", mx: "tim.it" },
  tiscali: { domains: "tiscali.it", mx: "tiscali.it" },
  "wp-pl": { domains: "wp.pl o2.pl tlen.pl", mx: "wp.pl" },
  "onet-pl": { domains: "onet.pl op.pl onet.eu vp.pl poczta.onet.pl", mx: "onet.pl" },
  interia: { domains: "interia.pl interia.eu poczta.fm", mx: "interia.pl" },
  seznam: { domains: "seznam.cz email.cz post.cz", mx: "seznam.cz" },
  ziggo: { domains: "ziggo.nl home.nl upcmail.nl chello.nl", mx: "ziggo.nl" },
  kpn: { domains: "kpnmail.nl planet.nl hetnet.nl", mx: "kpnmail.nl" },
  telenet: { domains: "telenet.be", mx: "telenet.be" },
  bluewin: { domains: "bluewin.ch", mx: "bluewin.ch" },
  docomo: { domains: "docomo.ne.jp", mx: "docomo.ne.jp" },
  au: { domains: "ezweb.ne.jp au.com", mx: "au.com" },
  softbank: { domains: "softbank.ne.jp i.softbank.jp", mx: "softbank.jp softbank.ne.jp" },
  rediffmail: { domains: "rediffmail.com", mx: "rediffmail.com" },
  uol: { domains: "uol.com.br bol.com.br", mx: "uol.com.br" },
  terra: { domains: "terra.com.br", mx: "terra.com.br" },
};

/** Each large provider's own domains, with its name. */
export const ownDomains: ReadonlyMap<string, string> = new Map(
  Object.entries(large).flatMap(([name, { domains }]) => domains.split(" ").map((domain) => [domain, name] as const)),
);

const mxSuffixes: ReadonlyMap<string, string> = new Map(
  Object.entries(large).flatMap(([name, { mx }]) => mx.split(" ").map((host) => [host, name] as const)),
);

/** Second-level labels below which names are registered, such as `co` in `co.uk`. Enough for grouping, unlike a full list. */
const registry = /^(?:ac|com?|edu|gob?|govt?|gouv|ltd|me|mil|net?|nom|org?|plc|sch)$/;

/**
 * The provider of a domain by its MX host names, the most preferred one first: a large provider, otherwise the registrable
 * name of the first host, so that the domains of one hosting company are one provider. The domain itself without an answer.
 * A domain of the table never follows its MX records: nobody but the provider can change the table.
 * @param domain in lower case
 */
export function providerOf(domain: string, mxHosts: readonly string[] = []): string {
  const own = ownDomains.get(domain);
  if (own !== undefined) return own;
  const host = mxHosts[0]?.toLowerCase().replace(/\.$/, "") ?? "";
  // RFC 7505: a single dot accepts no email. A number is an address, which RFC 5321 §5.1 forbids here.
  if (!/^(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.){1,20}[a-z][a-z0-9-]{0,62}$/.test(host)) return domain;
  return largeOfHost(host) ?? registrable(host);
}

/** Whether a domain is its provider's own, rather than a customer's whose MX records point there. */
export function isOwnDomain(domain: string, provider: string): boolean {
  return domain === provider || ownDomains.get(domain) === provider;
}

function largeOfHost(host: string): string | null {
  for (let name = host; name !== ""; name = name.slice(name.indexOf(".") + 1)) {
    const found = mxSuffixes.get(name);
    if (found !== undefined) return found;
    if (!name.includes(".")) return null;
  }
  return null;
}

/** The last two labels, or three below a registry's second-level label in a country's domain. */
function registrable(host: string): string {
  const labels = host.split(".");
  const [second, top] = [labels.at(-2) ?? "", labels.at(-1) ?? ""];
  return labels.slice(top.length === 2 && registry.test(second) ? -3 : -2).join(".");
}
