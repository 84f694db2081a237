// One part of the panel at a time. Without a script all of them stand below one another.
const NARROW = matchMedia("(max-width: 64rem)");

export class Tabs {
  constructor() {
    this.shown = "moments";
    document.addEventListener("darwix:tab", (event) => this.open(event.detail));
    document.addEventListener("click", (event) => {
      const tab = event.target.closest('[role="tab"]');
      if (tab) this.open(tab.getAttribute("aria-controls"));
      const link = event.target.closest("[data-open-tab]");
      if (link) {
        event.preventDefault();
        this.open(link.dataset.openTab);
        document.getElementById(`tab-${link.dataset.openTab}`)?.focus();
      }
    });
    document.addEventListener("keydown", (event) => this.key(event));
    NARROW.addEventListener("change", () => this.bind());
  }

  bind() {
    if (!NARROW.matches && this.shown === "transcript") this.shown = "moments";
    if (document.getElementById(this.shown) === null) this.shown = "moments";
    this.open(this.shown);
  }

  open(id) {
    this.shown = id;
    for (const tab of document.querySelectorAll('[role="tab"]')) {
      const is = tab.getAttribute("aria-controls") === id;
      tab.setAttribute("aria-selected", String(is));
      tab.tabIndex = is ? 0 : -1;
    }
    for (const part of document.querySelectorAll("[data-tab]")) {
      const stays = part.id === "transcript" && !NARROW.matches;
      part.classList.toggle("is-away", part.id !== id && !stays);
    }
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.target.getAttribute?.("role") !== "tab") return;
    event.preventDefault();
    const tabs = [...document.querySelectorAll('[role="tab"]')].filter((tab) => tab.offsetParent);
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    this.open(next.getAttribute("aria-controls"));
    next.focus();
  }
}
