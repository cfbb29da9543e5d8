import type { NoticeKind } from "../db/schema.ts";

/** Kinds with words of their own. */
export type SingleKind = Exclude<NoticeKind, "sample" | "alert">;

/** What one kind of notice says. `{publication}`, `{tags}`, `{time}`, `{zone}`, `{address}` and `{url}` are filled in. */
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

export type NoticeWords = Readonly<Record<SingleKind, Said> & { latest: string; hour: string }>;

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
  settings: {
    subject: "Your {publication} settings",
    headline: "Your settings",
    lead: "You asked for a link to your {publication} settings. There you can choose topics, pause the emails or delete your data.",
    tags: "",
    all: "",
    button: "Change my settings",
    after: "Didn’t request this? Ignore this email: nothing has changed.",
    why: "You get this email because somebody opened the unsubscribe link of an email to you and asked for your settings.",
  },
  moved: {
    subject: "Your {publication} address has changed",
    headline: "Your address has changed",
    lead: "Since {time}, the daily email of {publication} goes to {address} and no longer to this address.",
    tags: "",
    all: "",
    button: "Stop the emails to the new address",
    after:
      "Did you change it? Then ignore this email. If you did not, stop the emails with the link above, then subscribe again with this address: {url}",
    why: "You get this email because the daily email of {publication} went to this address until now.",
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
  settings: {
    subject: "Ihre Einstellungen bei {publication}",
    headline: "Ihre Einstellungen",
    lead: "Sie haben einen Link zu Ihren Einstellungen bei {publication} angefordert. Dort wählen Sie Themen aus, pausieren die Mails oder löschen Ihre Daten.",
    tags: "",
    all: "",
    button: "Einstellungen ändern",
    after: "Sie haben das nicht angefordert? Dann ignorieren Sie diese Mail: Es hat sich nichts geändert.",
    why: "Sie erhalten diese Mail, weil jemand den Abmeldelink aus einer Mail an Sie geöffnet und Ihre Einstellungen angefordert hat.",
  },
  moved: {
    subject: "Ihre Adresse bei {publication} wurde geändert",
    headline: "Ihre Adresse wurde geändert",
    lead: "Die tägliche Mail von {publication} geht seit {time} an {address} und nicht mehr an diese Adresse.",
    tags: "",
    all: "",
    button: "Mails an die neue Adresse stoppen",
    after:
      "Haben Sie die Adresse selbst geändert? Dann ignorieren Sie diese Mail. Wenn nicht, stoppen Sie die Mails mit dem Link oben und melden Sie sich mit dieser Adresse neu an: {url}",
    why: "Sie erhalten diese Mail, weil die tägliche Mail von {publication} bisher an diese Adresse ging.",
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
  settings: {
    subject: "{publication} 구독 설정",
    headline: "구독 설정",
    lead: "{publication} 구독 설정 링크를 요청하셨습니다. 태그를 바꾸거나, 메일을 잠시 멈추거나, 개인 정보를 삭제할 수 있습니다.",
    tags: "",
    all: "",
    button: "구독 설정 바꾸기",
    after: "요청하지 않으셨다면 이 메일을 무시하세요. 바뀐 것은 없습니다.",
    why: "누군가 메일의 구독 취소 링크를 열어 구독 설정을 요청하여 이 메일을 보내 드립니다.",
  },
  moved: {
    subject: "{publication}: 이메일 주소가 변경되었습니다",
    headline: "이메일 주소가 변경되었습니다",
    lead: "{time}부터 {publication} 일일 메일은 이 주소가 아니라 {address}(으)로 발송됩니다.",
    tags: "",
    all: "",
    button: "새 주소로 가는 메일 중지",
    after:
      "직접 변경하셨다면 이 메일을 무시하세요. 변경하지 않으셨다면 위 링크로 메일을 중지한 뒤 이 주소로 다시 구독하세요: {url}",
    why: "지금까지 이 주소로 {publication} 일일 메일을 보내 드렸기에 이 메일을 보내 드립니다.",
  },
  latest: "최신판 기사",
  hour: "발송 시각: {time} ({zone})",
};

const tables: Record<string, NoticeWords> = { en: english, de: german, ko: korean };

/** The notices' words for a BCP 47 tag, by its primary language; English where there is no table. */
export function noticeWordsFor(language: string): NoticeWords {
  return tables[language.split("-")[0]?.toLowerCase() ?? ""] ?? english;
}
