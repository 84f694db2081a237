// Search within the transcript: hits are highlighted where the browser can, without touching the words.
import { wordsOf } from "./words.js";

const LEAST = 2;
const NAME = "found";

export function bindFind(actions, rest) {
  let hits = [];
  let at = -1;
  const input = () => document.querySelector("[data-find]");

  async function search() {
    await rest.arrived; // hits are counted in the whole call
    const wanted = plain(input().value.trim());
    hits = wanted.length < LEAST ? [] : [...document.querySelectorAll(".segment")].flatMap((segment) => rangesIn(segment, wanted));
    at = -1;
    globalThis.CSS?.highlights?.delete(NAME);
    if (hits.length && globalThis.Highlight) CSS.highlights.set(NAME, new Highlight(...hits));
    if (hits.length) step(1);
    else tell(wanted.length >= LEAST);
  }

  function tell(isSought = true) {
    const told = document.querySelector("[data-found]");
    if (!isSought) told.textContent = "";
    else told.textContent = `${hits.length ? `${at + 1} of ${hits.length}` : "none"}${rest.isWhole ? "" : " so far"}`;
  }

  function step(by) {
    if (!hits.length) return;
    at = (at + by + hits.length) % hits.length;
    const segment = hits[at].startContainer.parentElement.closest(".segment");
    for (const one of document.querySelectorAll(".segment.is-found")) one.classList.remove("is-found");
    segment.classList.add("is-found");
    segment.scrollIntoView({ block: "center" });
    if (globalThis.Highlight) CSS.highlights.set("found-now", new Highlight(hits[at]));
    tell();
  }

  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-find]")) search();
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("[data-find]")) return;
    if (event.key === "Enter") {
      event.preventDefault();
      step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") event.target.blur();
  });
  actions["find-next"] = () => step(1);
  actions["find-previous"] = () => step(-1);
}

function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

// Every place in the segment's text that reads like `wanted`, as ranges over its text nodes.
function rangesIn(segment, wanted) {
  const element = segment.querySelector(".segment-text");
  if (!plain(element.textContent).includes(wanted)) return [];
  wordsOf(segment); // first, for the ranges would not outlive it
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const places = []; // for each character of the plain text, where it came from
  let text = "";
  while (walker.nextNode()) {
    const node = walker.currentNode;
    [...node.data].reduce((offset, sign) => {
      const made = plain(sign);
      for (let count = 0; count < made.length; count += 1) places.push([node, offset, offset + sign.length]);
      text += made;
      return offset + sign.length;
    }, 0);
  }
  const found = [];
  for (let from = text.indexOf(wanted); from >= 0; from = text.indexOf(wanted, from + wanted.length)) {
    const range = document.createRange();
    range.setStart(places[from][0], places[from][1]);
    range.setEnd(places[from + wanted.length - 1][0], places[from + wanted.length - 1][2]);
    found.push(range);
  }
  return found;
}
