/**
 * The version of `consent.wording`, the sentence that a reader agrees to. The consent record keeps the sentence as it was
 * shown (GDPR Art. 7(1)). Change the version with every change of that text.
 */
export const consentVersion = "2026-11-25";
