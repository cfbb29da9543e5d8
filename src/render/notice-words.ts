import type { NoticeKind } from "../db/schema.ts";

type Kind = Exclude<NoticeKind, "sample" | "alert">;

/** What one kind of notice says. `{publication}`, `{tags}`, `{time}` and `{zone}` are filled in by `fill`. */
interface Said {
  subject: string;
  headline: string;
  lead: string;
  /** About the tags somebody follows, and about following everything. */
  tags: string;
  all: string;
  button: string;
  after: string;
  why: string;
}

export type NoticeWords = Readonly<Record<Kind, Said> & { latest: string; hour: string }>;

const english: NoticeWords = {
  confirm: {
    subject: "Confirm your subscription to {publication}",
    headline: "Confirm your subscription",
    lead: "Somebody, most likely you, signed this address up for the daily e-mail of {publication}.",
    tags: "It brings the articles with these tags: {tags}.",
    all: "It brings all news.",
    button: "Confirm subscription",
    after: "The link works for 48 hours. If it was not you, do nothing: this was the only mail.",
    why: "You get this one mail because this address was entered in a sign-up form.",
  },
  already: {
    subject: "You get {publication} already",
    headline: "You are subscribed already",
    lead: "Somebody, most likely you, signed this address up once more. Nothing has changed.",
    tags: "You follow {tags}.",
    all: "You follow all news.",
    button: "Change preferences",
    after: "If it was not you, there is nothing to do.",
    why: "You get this because you are subscribed to {publication}.",
  },
  welcome: {
    subject: "Welcome to {publication}",
    headline: "You are subscribed",
    lead: "You get one e-mail on each day that has news for you.",
    tags: "You follow {tags}.",
    all: "You follow all news.",
    button: "Change preferences",
    after: "",
    why: "You get this because you confirmed your subscription to {publication}.",
  },
  change: {
    subject: "Confirm your new address for {publication}",
    headline: "Confirm your new address",
    lead: "A reader of {publication}, most likely you, wants the daily e-mail to come to this address.",
    tags: "",
    all: "",
    button: "Confirm this address",
    after: "The link works for 48 hours. If it was not you, do nothing: this was the only mail.",
    why: "You get this one mail because a reader entered this address as their new one.",
  },
  latest: "From the latest edition",
  hour: "It leaves at {time} ({zone}).",
};

const german: NoticeWords = {
  confirm: {
    subject: "Bitte bestätigen: {publication}",
    headline: "Bestätigen Sie Ihre Anmeldung",
    lead: "Jemand, vermutlich Sie, hat diese Adresse für die tägliche Mail von {publication} angemeldet.",
    tags: "Sie bringt die Artikel zu diesen Themen: {tags}.",
    all: "Sie bringt alle Nachrichten.",
    button: "Anmeldung bestätigen",
    after: "Der Link gilt 48 Stunden. Wenn Sie es nicht waren, tun Sie nichts: Dies war die einzige Mail.",
    why: "Sie erhalten diese eine Mail, weil diese Adresse in ein Anmeldeformular eingetragen wurde.",
  },
  already: {
    subject: "Sie erhalten {publication} bereits",
    headline: "Sie sind bereits angemeldet",
    lead: "Jemand, vermutlich Sie, hat diese Adresse noch einmal angemeldet. Es hat sich nichts geändert.",
    tags: "Sie folgen {tags}.",
    all: "Sie folgen allen Nachrichten.",
    button: "Einstellungen ändern",
    after: "Wenn Sie es nicht waren, brauchen Sie nichts zu tun.",
    why: "Sie erhalten diese Mail, weil Sie {publication} abonniert haben.",
  },
  welcome: {
    subject: "Willkommen bei {publication}",
    headline: "Sie sind angemeldet",
    lead: "Sie erhalten eine Mail an jedem Tag, der Nachrichten für Sie hat.",
    tags: "Sie folgen {tags}.",
    all: "Sie folgen allen Nachrichten.",
    button: "Einstellungen ändern",
    after: "",
    why: "Sie erhalten diese Mail, weil Sie Ihre Anmeldung bei {publication} bestätigt haben.",
  },
  change: {
    subject: "Bitte neue Adresse bestätigen: {publication}",
    headline: "Bestätigen Sie Ihre neue Adresse",
    lead: "Jemand, der {publication} liest, vermutlich Sie, möchte die tägliche Mail an diese Adresse erhalten.",
    tags: "",
    all: "",
    button: "Diese Adresse bestätigen",
    after: "Der Link gilt 48 Stunden. Wenn Sie es nicht waren, tun Sie nichts: Dies war die einzige Mail.",
    why: "Sie erhalten diese eine Mail, weil diese Adresse als neue Adresse eingetragen wurde.",
  },
  latest: "Aus der neuesten Ausgabe",
  hour: "Sie geht um {time} Uhr ({zone}) hinaus.",
};

const korean: NoticeWords = {
  confirm: {
    subject: "{publication} 구독을 확인해 주세요",
    headline: "구독을 확인해 주세요",
    lead: "누군가(아마도 본인)가 이 주소로 {publication} 일일 메일을 신청했습니다.",
    tags: "다음 태그의 기사를 보내 드립니다: {tags}",
    all: "모든 뉴스를 보내 드립니다.",
    button: "구독 확인",
    after: "링크는 48시간 동안 유효합니다. 본인이 아니라면 아무것도 하지 않으셔도 되며, 더는 메일을 보내지 않습니다.",
    why: "구독 신청란에 이 주소가 입력되어 이 메일을 한 번 보내 드립니다.",
  },
  already: {
    subject: "{publication}을(를) 이미 구독하고 계십니다",
    headline: "이미 구독하고 계십니다",
    lead: "누군가(아마도 본인)가 이 주소로 다시 신청했습니다. 바뀐 것은 없습니다.",
    tags: "구독하신 태그: {tags}",
    all: "모든 뉴스를 구독하고 계십니다.",
    button: "구독 설정 바꾸기",
    after: "본인이 아니라면 아무것도 하지 않으셔도 됩니다.",
    why: "{publication}을(를) 구독하고 계셔서 이 메일을 보내 드립니다.",
  },
  welcome: {
    subject: "{publication} 구독을 환영합니다",
    headline: "구독이 시작되었습니다",
    lead: "해당 뉴스가 있는 날마다 메일 한 통을 보내 드립니다.",
    tags: "구독하신 태그: {tags}",
    all: "모든 뉴스를 구독하고 계십니다.",
    button: "구독 설정 바꾸기",
    after: "",
    why: "{publication} 구독을 확인하셔서 이 메일을 보내 드립니다.",
  },
  change: {
    subject: "{publication}: 새 주소를 확인해 주세요",
    headline: "새 주소를 확인해 주세요",
    lead: "{publication} 독자(아마도 본인)가 일일 메일을 이 주소로 받겠다고 했습니다.",
    tags: "",
    all: "",
    button: "이 주소 확인",
    after: "링크는 48시간 동안 유효합니다. 본인이 아니라면 아무것도 하지 않으셔도 되며, 더는 메일을 보내지 않습니다.",
    why: "어느 독자가 이 주소를 새 주소로 입력하여 이 메일을 한 번 보내 드립니다.",
  },
  latest: "최신판 기사",
  hour: "발송 시각: {time} ({zone})",
};

const tables: Record<string, NoticeWords> = { en: english, de: german, ko: korean };

/** The notices' words for a BCP 47 tag, by its primary language; English where there is no table. */
export function noticeWordsFor(language: string): NoticeWords {
  return tables[language.split("-")[0]?.toLowerCase() ?? ""] ?? english;
}
