// Prints an edition, or shares its address: with what the device offers, or by copying it. Nothing is sent anywhere.
const acts = document.querySelector("[data-edition]");
const note = acts.querySelector("[role=status]");
const share = acts.querySelector("[data-share]");
const url = location.origin + location.pathname;

acts.querySelector("[data-print]").addEventListener("click", () => print());
if (!navigator.share) share.textContent = t("script.copy_link");
share.addEventListener("click", async () => {
  note.textContent = "";
  try {
    if (navigator.share) return await navigator.share({ title: document.title, url });
    await navigator.clipboard.writeText(url);
    note.textContent = t("script.link_copied");
  } catch (error) {
    // AbortError: the reader closed the device's dialog.
    if (error.name !== "AbortError") note.textContent = url;
  }
});
acts.hidden = false;
