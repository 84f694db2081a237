// The call from left to right: a click goes there, the playhead says where it is, zoom widens it.
import { clock } from "./clock.js";

const MOST_ZOOM = 32;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const TICKS = 10;
const EDGE = 0.1;

export class Tracks {
  constructor(player, moments) {
    this.player = player;
    this.moments = moments;
    this.zoom = 1;
    this.wave = null;
    player.addEventListener("time", () => this.show());
    document.addEventListener("darwix:theme", () => this.wave?.paint());
  }

  // Again after a correction: the tracks are others then.
  bind() {
    const box = document.getElementById("tracks");
    this.scroller = box.querySelector("[data-tracks-scroll]");
    this.inner = box.querySelector("[data-tracks]");
    this.head = box.querySelector("[data-playhead]");
    this.head.hidden = false;
    this.player.silences = [...box.querySelectorAll(".silence")].map((one) => ({
      start: Number(one.dataset.start),
      end: Number(one.dataset.end),
    }));
    this.inner.addEventListener("pointerdown", (event) => this.drag(event));
    box.querySelector(".rail-marks").addEventListener("click", (event) => {
      const mark = event.target.closest("[data-moment]");
      if (!mark) return;
      event.preventDefault();
      this.moments.select(mark.dataset.moment, { play: true });
    });
    this.setZoom(1);
    this.show();
    this.draw(box);
  }

  async draw(box) {
    const address = document.getElementById("player").dataset.waveform;
    const earlier = this.wave;
    this.wave = null;
    earlier?.destroy();
    if (!address) return;
    const { drawWaveform } = await import("./waveform.js"); // the page is of use without, and there before it
    const wave = await drawWaveform(box, address, this.player, this.moments);
    if (document.contains(box)) this.wave = wave;
    else wave?.destroy();
  }

  timeAt(event) {
    const here = this.inner.getBoundingClientRect();
    return ((event.clientX - here.left) / here.width) * this.player.durationS;
  }

  drag(event) {
    if (event.button !== 0 || event.target.closest?.("[data-moment]")) return;
    if (event.pointerType === "touch" && this.zoom > 1) return this.tap(event);
    event.preventDefault();
    this.player.seek(this.timeAt(event));
    const follow = (moved) => this.player.seek(this.timeAt(moved));
    const end = () => {
      removeEventListener("pointermove", follow);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
    };
    addEventListener("pointermove", follow);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }

  // Where a finger pans, only one that does not move goes to a place.
  tap(event) {
    const up = (ended) => {
      removeEventListener("pointerup", up);
      if (Math.abs(ended.clientX - event.clientX) < 6) this.player.seek(this.timeAt(ended));
    };
    addEventListener("pointerup", up);
    addEventListener("pointercancel", () => removeEventListener("pointerup", up), { once: true });
  }

  setZoom(zoom) {
    this.zoom = Math.min(Math.max(zoom, 1), MOST_ZOOM);
    this.inner.style.width = `${this.zoom * 100}%`;
    if (this.zoom > 1 || this.hasTicks) this.drawTicks();
    this.keepInView(true);
  }

  // Those that came with the page are for its whole length.
  drawTicks() {
    this.hasTicks = true;
    const length = this.player.durationS;
    const step = STEPS_S.find((one) => length / this.zoom / one <= TICKS) ?? STEPS_S.at(-1);
    const made = document.createDocumentFragment();
    for (let time = 0; time < length - step / 3; time += step) {
      const x = `${(time / length) * 100}%`;
      made.append(svg("line", { x1: x, x2: x, y1: 0, y2: 4 }), svg("text", { x, dx: 3, y: 13 }, clock(time)));
    }
    this.inner.querySelector(".ticks").replaceChildren(made);
  }

  show() {
    if (!this.inner) return;
    const share = this.player.durationS ? this.player.time / this.player.durationS : 0;
    this.head.style.left = `${share * 100}%`;
    if (this.zoom > 1 && this.player.isPlaying) this.keepInView(false);
  }

  keepInView(centres) {
    const { clientWidth, scrollLeft } = this.scroller;
    const x = (this.player.time / (this.player.durationS || 1)) * this.inner.clientWidth;
    const inside = x > scrollLeft + EDGE * clientWidth && x < scrollLeft + (1 - EDGE) * clientWidth;
    if (centres) this.scroller.scrollLeft = x - clientWidth / 2;
    else if (!inside) this.scroller.scrollLeft = x - EDGE * clientWidth;
  }
}

function svg(kind, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}
