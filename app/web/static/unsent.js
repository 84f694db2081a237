// What is written in a form marked data-unsent outlives a session that ended meanwhile: after the login it stands
// there again. It is kept in this tab alone, and only until the next page that is not the login.
(function () {
  "use strict";
  const KEPT = "darwix-unsent";
  const TOKEN = "csrf_token";

  function kept() {
    try {
      return JSON.parse(sessionStorage.getItem(KEPT));
    } catch {
      return null; // storage is switched off
    }
  }

  function keep(what) {
    try {
      if (what) sessionStorage.setItem(KEPT, JSON.stringify(what));
      else sessionStorage.removeItem(KEPT);
    } catch {
      // storage is switched off: what was written is lost, as without this script
    }
  }

  function keepForm(form) {
    const fields = [...new FormData(form)].filter(([name, value]) => name !== TOKEN && typeof value === "string");
    keep({ path: location.pathname, fields });
  }

  function giveBack(fields) {
    const form = document.querySelector("form[data-unsent]");
    if (!form) return;
    for (const [name, value] of fields) {
      const field = form.elements[name];
      if (!field) continue;
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.textContent = "What you wrote before you signed in stands here again. It has not been sent yet.";
    document.getElementById("notices").replaceChildren(notice);
  }

  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-unsent]")) keepForm(event.target);
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const form = event.detail.requestConfig.elt.closest("form[data-unsent]");
    if (!form) return;
    if (event.detail.xhr.status === 401) keepForm(form);
    else keep(null);
  });

  const waiting = kept();
  if (!waiting) return;
  if (document.querySelector(".login")) {
    keep({ ...waiting, isSignedOut: true });
    return;
  }
  keep(null);
  if (waiting.isSignedOut && waiting.path === location.pathname) {
    document.addEventListener("DOMContentLoaded", () => giveBack(waiting.fields)); // the page's own scripts are there
  }
})();
