/**
 * The version of `consent.wording`, the sentence a reader agrees to, which the consent record keeps in the language it
 * was shown in (GDPR Art. 7(1)). Raise it with every change of that text, so that a record tells which one it was.
 */
export const consentVersion = "2026-11-25";
