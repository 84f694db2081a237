// The reel in the panel: its chapters play it from there, and one of the two recordings plays at a time.
export function bindReel(player) {
  const reel = () => document.querySelector("[data-reel-audio]");

  document.addEventListener("click", (event) => {
    const chapter = event.target.closest("[data-reel-seek]");
    if (chapter && reel()) {
      event.preventDefault();
      reel().currentTime = Number(chapter.dataset.reelSeek);
      reel().play().catch(() => {});
    }
    const link = event.target.closest("[data-moment-link]");
    if (link) {
      event.preventDefault();
      document.dispatchEvent(new CustomEvent("darwix:moment", { detail: link.dataset.momentLink }));
    }
  });
  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.matches("[data-reel]")) event.detail.elt.scrollIntoView({ block: "start", behavior: "smooth" });
  });
  // Media events do not bubble; they can be caught on their way down.
  document.addEventListener("play", (event) => {
    if (event.target === reel()) player.audio?.pause();
    else if (event.target === player.audio) reel()?.pause();
  }, true);
  document.addEventListener("timeupdate", (event) => {
    if (event.target !== reel()) return;
    const chapters = [...document.querySelectorAll(".chapters li")];
    const now = chapters.findLast((one) => Number(one.dataset.start) <= reel().currentTime);
    for (const one of chapters) one.classList.toggle("is-current", one === now);
  }, true);
}
