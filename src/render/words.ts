const english = {
  preheader: "{articles}",
  preheaderTags: "{articles} on {tags}",
  article: "1 article",
  articles: "{n} articles",
  moreArticle: "1 more article",
  moreArticles: "{n} more articles",
  moreHint: "on the web",
  subjectMore: ", and {n} more",
  sampleSubject: "Sample copy: ",
  editionNumber: "Edition {n}",
  whyTags: "You get this because you follow {tags}.",
  whyAll: "You get this because you follow all news.",
  tagsMore: "{tags} and {n} more",
  sentTo: "Sent to",
  tags: "Tags:",
  onTheWeb: "On the web:",
  preferences: "Preferences",
  unsubscribe: "Unsubscribe",
  changeTags: "Change the tags you follow",
  sampleNote: "This is a sample copy. Its links to preferences and unsubscribing do nothing.",
  signUp: "Sign up",
  inactive: "(not active in a sample copy)",
};

/** The mail's own words. `{n}`, `{tags}` and `{articles}` are filled in by `fill`. */
export type Words = Readonly<typeof english>;

const german: Words = {
  preheader: "{articles}",
  preheaderTags: "{articles} zu {tags}",
  article: "1 Artikel",
  articles: "{n} Artikel",
  moreArticle: "1 weiterer Artikel",
  moreArticles: "{n} weitere Artikel",
  moreHint: "im Web",
  subjectMore: " und {n} weitere",
  sampleSubject: "Probeausgabe: ",
  editionNumber: "Ausgabe {n}",
  whyTags: "Sie erhalten diese Mail, weil Sie {tags} folgen.",
  whyAll: "Sie erhalten diese Mail, weil Sie allen Nachrichten folgen.",
  tagsMore: "{tags} und {n} weitere",
  sentTo: "Gesendet an",
  tags: "Themen:",
  onTheWeb: "Im Web:",
  preferences: "Einstellungen",
  unsubscribe: "Abmelden",
  changeTags: "Themen ändern",
  sampleNote: "Dies ist eine Probeausgabe. Die Links zu Einstellungen und Abmeldung sind ohne Funktion.",
  signUp: "Anmelden",
  inactive: "(in der Probeausgabe ohne Funktion)",
};

const korean: Words = {
  preheader: "기사 {articles}",
  preheaderTags: "{tags} 관련 기사 {articles}",
  article: "1건",
  articles: "{n}건",
  moreArticle: "기사 1건 더 보기",
  moreArticles: "기사 {n}건 더 보기",
  moreHint: "웹에서",
  subjectMore: " 외 {n}건",
  sampleSubject: "견본: ",
  editionNumber: "제{n}판",
  whyTags: "구독하신 태그: {tags}",
  whyAll: "모든 뉴스를 구독하고 계셔서 이 메일을 보내 드립니다.",
  tagsMore: "{tags} 외 {n}개",
  sentTo: "받는 주소:",
  tags: "태그:",
  onTheWeb: "원문:",
  preferences: "구독 설정",
  unsubscribe: "수신 거부",
  changeTags: "구독 태그 바꾸기",
  sampleNote: "견본입니다. 구독 설정과 수신 거부 링크는 작동하지 않습니다.",
  signUp: "구독하기",
  inactive: "(견본에서는 작동하지 않음)",
};

const tables: Record<string, Words> = { en: english, de: german, ko: korean };

/** The words for a BCP 47 tag, by its primary language; English where there is no table. */
export function wordsFor(language: string): Words {
  return tables[language.split("-")[0]?.toLowerCase() ?? ""] ?? english;
}
