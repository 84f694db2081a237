// The words in step with the recording: which one is spoken, a click goes there, the page follows.
import { wordsOf, wrapWords } from "./words.js";

const HUNDREDTHS = 100;
const MARGIN_PX = 24;

export class Transcript {
  constructor(player, actions, rest) {
    this.player = player;
    this.rest = rest;
    this.follows = true;
    this.segment = null;
    this.word = null;
    player.addEventListener("time", () => this.show());
    for (const name of ["wheel", "touchmove"]) addEventListener(name, (event) => this.readerMoves(event), { passive: true });
    addEventListener("keydown", (event) => {
      if (["PageDown", "PageUp", "Home", "End"].includes(event.key)) this.readerMoves(event);
    });
    actions.follow = () => this.setFollow(!this.follows);
  }

  bind() {
    this.list = document.querySelector("[data-segments]");
    this.segment = this.word = this.reached = null;
    this.list?.addEventListener("click", (event) => this.click(event));
    this.list?.addEventListener("keydown", (event) => this.key(event));
    this.take();
  }

  // The segments that are there by now.
  take() {
    this.segments = this.list ? [...this.list.children] : [];
    this.starts = this.segments.map((one) => Number(one.dataset.s));
    for (const link of this.list?.querySelectorAll(".segment-time, .segment-edit") ?? []) link.tabIndex = -1;
    this.reach(this.reached ?? this.segments[0]);
    wrapWords(this.segments, !this.rest.isWhole);
    this.show();
  }

  click(event) {
    const word = event.target.closest("span[data-s]");
    const link = event.target.closest(".segment-time");
    const edit = event.target.closest(".segment-edit");
    if (word && getSelection().isCollapsed) this.go(word, { play: true });
    else if (link && !modified(event)) {
      event.preventDefault();
      this.go(link.closest(".segment"), { play: true });
    } else if (edit && !modified(event)) {
      event.preventDefault();
      htmx.ajax("GET", edit.getAttribute("href"), { target: "#question", swap: "innerHTML", source: edit });
    }
    const mark = event.target.closest("mark[data-m]");
    if (mark) document.dispatchEvent(new CustomEvent("darwix:moment", { detail: mark.dataset.m.split(" ")[0] }));
  }

  // Arrows: a word on or back, a segment down or up.
  key(event) {
    if (modified(event) || event.target.closest("summary, button")) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const along = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step && !along) return;
    event.preventDefault();
    const segment = event.target.closest(".segment");
    const target = step ? this.segments[this.segments.indexOf(segment) + step] : this.neighbour(segment, along);
    if (!target) return;
    this.go(target, { play: this.player.isPlaying });
    const now = target.closest(".segment");
    this.reach(now);
    now.querySelector(".segment-time").focus({ preventScroll: true });
    this.scrollTo(now);
  }

  neighbour(segment, by) {
    const words = wordsOf(segment);
    const at = words.indexOf(this.word);
    if (at < 0) return by > 0 ? words[0] : words.at(-1);
    const other = this.segments[this.segments.indexOf(segment) + by];
    return words[at + by] ?? (other && (by > 0 ? wordsOf(other)[0] : wordsOf(other).at(-1)));
  }

  go(element, options) {
    this.setFollow(true);
    this.player.seek(Number(element.dataset.s) / HUNDREDTHS + 0.001, options);
  }

  // One segment can be reached by Tab, the others by arrows: nobody tabs through an hour of talk.
  reach(segment) {
    if (!segment) return;
    const set = (one, index) => {
      for (const link of one?.querySelectorAll(".segment-time, .segment-edit") ?? []) link.tabIndex = index;
    };
    set(this.reached, -1);
    set(segment, 0);
    this.reached = segment;
  }

  show() {
    if (!this.segments?.length) return;
    const time = this.player.time * HUNDREDTHS;
    const segment = this.segments[Math.max(lastAtOrBefore(this.starts, time), 0)];
    if (!this.rest.isWhole && segment === this.segments.at(-1)) return; // the one that is meant may come yet
    if (segment !== this.segment) this.change(segment);
    const words = this.words;
    const at = lastAtOrBefore(this.wordStarts, time);
    const word = at >= 0 && time <= Number(segment.dataset.e) + 30 ? words[at] : null;
    if (word === this.word) return;
    this.word?.classList.remove("is-now");
    word?.classList.add("is-now");
    this.word = word;
  }

  change(segment) {
    this.segment?.classList.remove("is-now");
    segment.classList.add("is-now");
    this.segment = segment;
    this.words = wordsOf(segment);
    this.wordStarts = this.words.map((one) => Number(one.dataset.s));
    if (!segment.closest("[data-segments]").contains(document.activeElement)) this.reach(segment);
    if (this.follows && (this.player.isPlaying || this.player.time > 0)) this.scrollTo(segment);
  }

  readerMoves(event) {
    if (this.follows && this.player.isPlaying && event.target.closest?.(".transcript, .review, body") && !event.target.closest?.(".panel, .tracks, dialog")) {
      this.setFollow(false);
    }
  }

  setFollow(follows) {
    this.follows = follows;
    document.querySelector('[data-do="follow"]')?.setAttribute("aria-pressed", String(follows));
    if (follows && this.segment && this.player.time > 0) this.scrollTo(this.segment);
  }

  // Only as far as is needed: below the player, above the end of the window.
  scrollTo(segment) {
    if (!segment.offsetParent) return; // on a phone another part is shown
    const box = segment.getBoundingClientRect();
    const { top, bottom } = openSpace();
    if (box.top >= top + MARGIN_PX && box.bottom <= bottom - MARGIN_PX) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollBy({ top: box.top - top - (bottom - top) / 3, behavior: calm || Math.abs(box.top) > 3 * innerHeight ? "auto" : "smooth" });
  }
}

// Between what sticks to the top of the window and what sticks to its end.
function openSpace() {
  const stuck = ["player", "transcript"].map((id) => document.getElementById(id));
  const isStuck = getComputedStyle(stuck[0]).position === "sticky";
  const top = isStuck ? stuck[1].querySelector(".transcript-head").getBoundingClientRect().bottom : 0;
  const bar = document.querySelector(".transport");
  const bottom = getComputedStyle(bar).position === "fixed" ? bar.getBoundingClientRect().top : innerHeight;
  return { top: Math.max(top, 0), bottom };
}

function modified(event) {
  return event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
}

// Where the last of `sorted` that is not after `value` stands; -1 where all are.
export function lastAtOrBefore(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
