// The buttons around the recording, and the slider that says where it is.
import { clock } from "./clock.js";

const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2];
const STEP_S = 5;

export function bindTransport(player, actions) {
  const box = document.getElementById("player");
  const scrubber = box.querySelector("[data-scrubber]");
  const now = box.querySelector("[data-now]");
  const speed = box.querySelector("[data-speed]");
  const button = (name) => box.querySelector(`[data-do="${name}"]`);

  Object.assign(actions, {
    play: () => player.toggle(),
    back: () => player.move(-STEP_S),
    on: () => player.move(STEP_S),
    skip: () => player.setSkip(!player.skipsSilence),
    slower: () => changeSpeed(-1),
    faster: () => changeSpeed(1),
  });

  function changeSpeed(by) {
    const at = SPEEDS.indexOf(Number(speed.value));
    speed.value = String(SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)]);
    player.setSpeed(Number(speed.value));
  }

  if (!player.audio) return;
  speed.addEventListener("change", () => player.setSpeed(Number(speed.value)));
  scrubber.addEventListener("input", () => player.seek(Number(scrubber.value)));

  let shown = -1;
  player.addEventListener("time", () => {
    const time = player.time;
    if (document.activeElement !== scrubber || player.isPlaying) scrubber.value = time;
    if (Math.floor(time) === shown) return;
    shown = Math.floor(time);
    now.textContent = clock(time);
    scrubber.setAttribute("aria-valuetext", `${clock(time)} of ${clock(player.durationS)}`);
  });
  player.addEventListener("state", () => {
    box.classList.toggle("is-playing", player.isPlaying);
    button("play").setAttribute("aria-label", player.isPlaying ? "Pause" : "Play");
    button("loop").setAttribute("aria-pressed", String(player.loop !== null));
    button("skip").setAttribute("aria-pressed", String(player.skipsSilence));
    if (player.audio.error) tellBroken(box);
  });
}

function tellBroken(box) {
  if (box.querySelector("[data-broken]")) return;
  const told = document.createElement("p");
  told.className = "note transport-broken";
  told.dataset.broken = "";
  told.setAttribute("role", "alert");
  told.textContent = "This browser cannot play the recording. It can be downloaded under Export.";
  box.append(told);
}
