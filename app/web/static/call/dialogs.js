// Questions in the dialog of the page: what went wrong is told in it, and it closes when all went well.
export function bindDialogs() {
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.isError) return;
    const place = event.detail.requestConfig.elt.closest("dialog")?.querySelector("[data-problem]");
    if (place) event.detail.target = place;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const dialog = event.detail.requestConfig?.elt.closest?.("dialog");
    if (dialog && event.detail.successful && event.detail.requestConfig.verb === "post") dialog.close();
  });
  // An opened menu closes with a click elsewhere, or Escape.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
