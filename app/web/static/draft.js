// Beside the text of a draft: numbers of its lines, those that something is wrong with marked; a way to each.
(function () {
  "use strict";
  const editor = document.querySelector("[data-editor]");
  const text = editor.querySelector("textarea");
  const lines = editor.querySelector("[data-lines]");

  function wrongLines() {
    return new Set([...document.querySelectorAll("#answers [data-line]")].map((link) => Number(link.dataset.line)));
  }

  function number() {
    const wrong = wrongLines();
    const count = text.value.split("\n").length;
    lines.replaceChildren(
      ...Array.from({ length: count }, (_none, at) => {
        const line = document.createElement("span");
        line.textContent = at + 1;
        if (wrong.has(at + 1)) line.className = "is-wrong";
        return [line, "\n"];
      }).flat(),
    );
    lines.scrollTop = text.scrollTop;
  }

  function goTo(line) {
    const before = text.value.split("\n").slice(0, line - 1);
    const start = before.reduce((length, each) => length + each.length + 1, 0);
    const end = text.value.indexOf("\n", start);
    text.focus();
    text.setSelectionRange(start, end < 0 ? text.value.length : end);
    const height = text.scrollHeight / text.value.split("\n").length;
    text.scrollTop = Math.max(height * (line - 1) - text.clientHeight / 3, 0);
  }

  text.addEventListener("input", number);
  text.addEventListener("scroll", () => {
    lines.scrollTop = text.scrollTop;
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    goTo(Number(link.dataset.line));
  });
  document.addEventListener("htmx:afterSwap", number);
  number();
})();
