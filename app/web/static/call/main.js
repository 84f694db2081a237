// The page of a call: wires its parts together, and again after a correction has swapped some of them.
import { bindComments, count } from "./comments.js";
import { bindDialogs } from "./dialogs.js";
import { bindFind } from "./find.js";
import { bindKeys } from "./keys.js";
import { Moments } from "./moments.js";
import { Player } from "./player.js";
import { bindReel } from "./reel.js";
import { Rest } from "./rest.js";
import { Tabs } from "./tabs.js";
import { Tracks } from "./tracks.js";
import { Transcript } from "./transcript.js";
import { bindTransport } from "./transport.js";

bindDialogs();
if (document.getElementById("player")) start();

function start() {
  const actions = {};
  const duration = Number(document.getElementById("tracks").dataset.duration);
  const player = new Player(document.getElementById("audio"), duration);
  const tabs = new Tabs();
  const rest = new Rest(() => {
    transcript.take();
    moments.bind();
  });
  const moments = new Moments(player, rest);
  const transcript = new Transcript(player, actions, rest);
  const tracks = new Tracks(player, moments);
  const bindCommentForm = bindComments(player, actions);
  bindTransport(player, actions);
  bindFind(actions, rest);
  bindReel(player);
  Object.assign(actions, {
    next: () => rest.arrived.then(() => moments.step(1)),
    previous: () => rest.arrived.then(() => moments.step(-1)),
    loop: () => moments.repeat(),
    right: () => moments.judge("right"),
    wrong: () => moments.judge("wrong"),
    closer: () => tracks.setZoom(tracks.zoom * 2),
    further: () => tracks.setZoom(tracks.zoom / 2),
  });
  bindKeys(actions);

  document.addEventListener("click", (event) => {
    const asked = event.target.closest("[data-do]");
    if (asked) actions[asked.dataset.do]?.();
    const place = event.target.closest("[data-seek]");
    if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const card = place.closest(".moment-card");
    if (card) moments.select(card.id, { play: true });
    else player.seek(Number(place.dataset.seek), { play: true });
    transcript.setFollow(true);
  });
  document.addEventListener("darwix:moment", (event) => moments.show(event.detail));

  function bindReview() {
    tabs.bind();
    rest.bind();
    transcript.bind();
    moments.bind();
    bindCommentForm();
  }

  document.addEventListener("htmx:load", (event) => {
    const { id, classList } = event.detail.elt;
    if (id === "review") bindReview();
    else if (id === "tracks") tracks.bind();
    else if (id === "comments") count();
    else if (classList.contains("moment-card")) moments.bind();
  });
  bindReview();
  tracks.bind();
  measurePlayer();
  goToAddress(player, moments, rest);
  document.dispatchEvent(new Event("darwix:ready"));
}

// What scrolls under the player ends where it does.
function measurePlayer() {
  const box = document.getElementById("player");
  const set = () => document.documentElement.style.setProperty("--player-height", `${box.offsetHeight}px`);
  new ResizeObserver(set).observe(box);
  set();
}

// `#t=12.4`: a time; `#m_…`: a moment; `#s900`, that the browser did not find: a segment of the rest.
function goToAddress(player, moments, rest) {
  const asked = decodeURIComponent(location.hash.slice(1));
  if (/^t=\d+(\.\d+)?$/.test(asked)) player.seek(Number(asked.slice(2)));
  else if (asked.startsWith("m_")) moments.select(asked);
  else if (/^s\d+$/.test(asked) && !document.getElementById(asked)) rest.arrived.then(() => location.replace(location.hash));
}
