// Keys for every page: "/" to search, "g" and a letter to go, "j" and "k" from one line of a list (data-step)
// to the next, "?" for help. An element of
// a page is clicked by the key that its data-key names.
(function () {
  "use strict";
  const PAIR_MS = 1200;
  const NEVER = -Infinity; // times count from when the page was opened: 0 would pair with the first keys
  let wentAt = NEVER;

  function isTyping(target) {
    return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
  }

  function step(by) {
    const lines = [...document.querySelectorAll("[data-step]")];
    const at = lines.indexOf(document.activeElement);
    const next = at < 0 ? lines[0] : lines[at + by];
    next?.focus();
    return lines.length > 0;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (event.timeStamp - wentAt < PAIR_MS) {
      wentAt = NEVER;
      const link = document.querySelector(`a[data-go="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        link.click();
        return;
      }
    }
    const marked = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (marked) {
      event.preventDefault();
      marked.click();
    } else if (event.key === "g") {
      wentAt = event.timeStamp;
    } else if (event.key === "j" || event.key === "k") {
      if (step(event.key === "j" ? 1 : -1)) event.preventDefault();
    } else if (event.key === "?") {
      event.preventDefault();
      document.getElementById("keys").showModal();
    } else if (event.key === "/") {
      const search = document.querySelector('input[type="search"]');
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    }
  });
})();
