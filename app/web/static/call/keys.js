// Keys of this page. Those of every page come first (keys.js beside the frame), and what is typed is left alone.
const KEYS = {
  " ": "play", k: "play", j: "back", l: "on", ArrowLeft: "back", ArrowRight: "on",
  n: "next", p: "previous", "[": "slower", "]": "faster", r: "loop", s: "skip", f: "follow",
  c: "comment", v: "right", x: "wrong",
};
const OWN_SPACE = "button, summary, select, input, textarea, [role=tab]";
const TYPING = "input:not([type=range]), textarea, select, [contenteditable]";

export function bindKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || event.target.closest?.(TYPING)) return;
    const name = KEYS[event.key];
    if (!name || !actions[name]) return;
    if (event.key === " " && event.target.closest?.(OWN_SPACE)) return;
    if (event.key.startsWith("Arrow") && event.target.closest?.("input, [role=tab], .table-box")) return;
    event.preventDefault();
    actions[name]();
  });
}
