// Before the first paint: the theme that was chosen here, and that scripts run. Colours for canvases.
(function () {
  "use strict";
  const root = document.documentElement;
  const KEY = "darwix-theme";

  function stored() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is switched off: the system's theme it is
    }
  }

  function show(theme) {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  }

  function current() {
    return root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  }

  root.classList.add("has-script");
  show(stored());

  window.darwix = {
    // A token such as "--accent" as a colour that a canvas takes, in the present theme.
    colour(name) {
      const probe = document.createElement("span");
      probe.style.color = `var(${name})`;
      document.body.append(probe);
      const found = getComputedStyle(probe).color;
      probe.remove();
      return found;
    },
    csrfToken() {
      return document.querySelector('meta[name="csrf-token"]').content;
    },
  };

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const theme = current() === "dark" ? "light" : "dark";
    show(theme);
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // it holds until the page is left
    }
    document.dispatchEvent(new CustomEvent("darwix:theme", { detail: theme }));
  });
})();
