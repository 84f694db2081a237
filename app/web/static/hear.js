// One recording is heard at a time; a chapter plays from its place; a dialog that closes falls silent. Escape
// folds the question about a reel away.
(function () {
  "use strict";

  function silence(root, except) {
    for (const audio of root.querySelectorAll("audio")) if (audio !== except) audio.pause();
  }

  document.addEventListener("play", (event) => silence(document, event.target), true);
  document.addEventListener("close", (event) => silence(event.target), true);
  document.addEventListener("keydown", (event) => {
    const asked = event.target.closest?.("details.week[open]");
    if (event.key !== "Escape" || !asked) return;
    asked.open = false;
    asked.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    const chapter = event.target.closest("[data-seek]");
    const audio = document.querySelector("dialog[open] [data-reel]") ?? document.querySelector("[data-reel]");
    if (!chapter || !audio) return;
    event.preventDefault();
    audio.currentTime = Number(chapter.dataset.seek);
    audio.play().catch(() => {}); // it stays where it was put
  });
})();
