// What every page does: dialogs, notices that go away, times in the reader's own zone, names of languages.
(function () {
  "use strict";
  const FORMAT = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };

  function showLocalTimes(root) {
    for (const time of root.querySelectorAll("time[data-local]")) {
      const date = new Date(time.dateTime);
      const format = { ...FORMAT };
      if (date.getFullYear() === new Date().getFullYear()) delete format.year;
      time.textContent = date.toLocaleString("en-GB", format);
      time.title = date.toString();
      time.removeAttribute("data-local");
    }
  }

  // Languages by their names: the page has their codes.
  const languages = new Intl.DisplayNames(["en"], { type: "language" });
  function nameLanguages(root) {
    for (const place of root.querySelectorAll("[data-language]")) {
      place.textContent = languages.of(place.dataset.language);
      place.removeAttribute("data-language");
    }
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      event.preventDefault(); // a link leads to the same without scripts
      document.getElementById(opener.dataset.dialog)?.showModal();
      return;
    }
    const dialog = event.target.closest("[data-close]")?.closest("dialog");
    if (dialog) {
      event.preventDefault();
      dialog.close();
      return;
    }
    event.target.closest("[data-dismiss]")?.parentElement.remove();
    // A click beside a dialog, on what lies behind it, closes it.
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });

  // Whatever is asked in the dialog that every page has.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "question") return;
    document.querySelectorAll("dialog[open]").forEach((other) => other.close()); // the answer came late
    event.detail.target.showModal();
  });
  document.addEventListener("htmx:load", (event) => {
    showLocalTimes(event.detail.elt);
    nameLanguages(event.detail.elt);
  });
  document.addEventListener("htmx:sendError", () => {
    const notice = document.createElement("div");
    notice.className = "notice is-bad";
    notice.id = "unreachable";
    notice.textContent = "The service cannot be reached. It is asked again while this page is open.";
    document.getElementById("notices").replaceChildren(notice);
  });
  document.addEventListener("htmx:afterOnLoad", () => document.getElementById("unreachable")?.remove());
  showLocalTimes(document);
  nameLanguages(document);
})();
