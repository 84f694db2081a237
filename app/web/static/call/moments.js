// The list of moments: which one is current, the way from one to the next, what is shown of them.
const LEAD_S = 0.6;
const NEAR_S = 0.3;

export class Moments {
  constructor(player, rest) {
    this.player = player;
    this.rest = rest;
    this.current = null;
    this.filters = {};
    document.addEventListener("change", (event) => {
      const filter = event.target.dataset?.filter;
      if (!filter) return;
      this.filters[filter] = event.target.value;
      this.filter();
    });
    player.addEventListener("time", () => this.followTime());
  }

  bind() {
    this.stretches = this.cards().map((card) => ({ card, ...stretchOf(card) }));
    for (const select of document.querySelectorAll("#moments [data-filter]")) {
      const kept = this.filters[select.dataset.filter] ?? "";
      if ([...select.options].some((one) => one.value === kept)) select.value = kept;
      this.filters[select.dataset.filter] = select.value;
    }
    this.filter();
    this.mark();
  }

  cards() {
    return [...document.querySelectorAll(".moment-card")];
  }

  async all() {
    await this.rest.arrived;
    return this.cards().map((card) => ({ ...card.dataset, id: card.id, timed: "timed" in card.dataset, ...stretchOf(card) }));
  }

  card(id = this.current) {
    return id ? document.getElementById(id) : null;
  }

  filter() {
    const { kind, role, confidence, verdict } = this.filters;
    const cards = this.cards();
    let shown = 0;
    for (const card of cards) {
      const has = card.dataset;
      const fits =
        (!kind || has.kind === kind) &&
        (!role || has.role === role) &&
        (!verdict || has.verdict === verdict) &&
        Number(has.confidence) >= Number(confidence || 0);
      card.hidden = !fits;
      shown += fits;
    }
    const told = document.querySelector("[data-filtered]");
    if (!told) return;
    told.hidden = shown === cards.length;
    told.textContent = shown === cards.length ? "" : `${shown} of ${cards.length} shown`;
  }

  // Makes a moment the current one without going there.
  async show(id, { scroll = true } = {}) {
    if (!this.card(id)) await this.rest.arrived;
    const card = this.card(id);
    if (!card) return;
    this.current = id;
    this.mark();
    document.dispatchEvent(new CustomEvent("darwix:tab", { detail: "moments" }));
    if (scroll) card.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  // Goes to a moment; `alone`: plays no further than its end.
  async select(id, { play = false, alone = false } = {}) {
    if (!this.card(id)) await this.rest.arrived;
    const card = this.card(id);
    if (!card) return;
    const { start, end } = stretchOf(card);
    this.show(id);
    if (this.player.loop) this.player.setLoop(around(start, end));
    this.player.seek(start - LEAD_S, { play, until: alone ? end + LEAD_S : null });
  }

  step(by) {
    const cards = this.cards().filter((card) => !card.hidden);
    const time = this.player.time;
    const at = cards.findIndex((card) => card.id === this.current);
    const here = at >= 0 ? stretchOf(cards[at]) : null;
    // From the current one, as long as the recording is at it; else from where it is.
    if (here && time >= here.start - LEAD_S - NEAR_S && time <= here.end + LEAD_S + NEAR_S) {
      return this.select(cards[at + by]?.id, { play: this.player.isPlaying });
    }
    const next = by > 0 ? cards.find((card) => stretchOf(card).start > time) : cards.findLast((card) => stretchOf(card).start < time);
    if (next) this.select(next.id, { play: this.player.isPlaying });
  }

  repeat() {
    if (this.player.loop) return this.player.setLoop(null);
    const card = this.card() ?? this.cards().find((one) => !one.hidden);
    if (!card) return;
    const { start, end } = stretchOf(card);
    this.show(card.id);
    this.player.seek(start - LEAD_S, { play: true });
    this.player.setLoop(around(start, end));
  }

  judge(verdict) {
    const button = this.card()?.querySelector(`button[name="verdict"][value="${verdict}"]`);
    button?.click();
  }

  // The one that plays is current; of several, the one that was chosen, else the shortest.
  followTime() {
    if (!this.player.isPlaying) return;
    const time = this.player.time;
    const chosen = this.stretches.find(({ card }) => card.id === this.current);
    if (chosen && time >= chosen.start - LEAD_S - NEAR_S && time <= chosen.end + NEAR_S) return;
    const here = this.stretches.filter(({ card, start, end }) => !card.hidden && time >= start && time <= end);
    if (!here.length) return;
    this.current = here.reduce((least, one) => (one.end - one.start < least.end - least.start ? one : least)).card.id;
    this.mark();
  }

  mark() {
    for (const card of this.cards()) card.classList.toggle("is-current", card.id === this.current);
  }
}

function stretchOf(card) {
  return { start: Number(card.dataset.start), end: Number(card.dataset.end) };
}

function around(start, end) {
  return { start: Math.max(start - LEAD_S, 0), end: end + LEAD_S };
}
