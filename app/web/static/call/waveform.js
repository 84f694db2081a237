// A lane for each party, drawn by wavesurfer.js from stored peaks: the recording is never decoded here.
import RegionsPlugin from "../vendor/wavesurfer-regions.esm.js";
import WaveSurfer from "../vendor/wavesurfer.esm.js";

const SHORTEST_S = 0.2;
const MOST_LOUDER = 8;

// Resolves to null where there are no peaks; what was drawn without a script stays then.
export async function drawWaveform(tracks, address, player, moments) {
  const waveform = await read(address);
  if (!waveform || !document.contains(tracks)) return null;
  const lanes = [...tracks.querySelectorAll(".lane")];
  const parties = new Map(waveform.parties.map((party) => [party.speaker, party.peaks]));
  const length = Math.max(...waveform.parties.map((party) => party.peaks.length), 1);
  if (!lanes.length || !lanes.some((lane) => parties.has(lane.dataset.speaker))) return null;

  const peaks = louder(lanes.map((lane) => parties.get(lane.dataset.speaker) ?? new Array(length).fill(0)));
  const box = document.createElement("div");
  const regions = RegionsPlugin.create();
  const surfer = WaveSurfer.create({
    container: box,
    plugins: [regions],
    peaks, // with these at hand, nothing is fetched and decoded
    duration: player.durationS,
    height: lanes[0].clientHeight,
    splitChannels: colours(lanes),
    barWidth: 2,
    barGap: 1,
    barRadius: 2,
    normalize: false,
    cursorWidth: 0,
    interact: false,
    hideScrollbar: true,
  });
  takeStyleOut(surfer.getWrapper().getRootNode());
  const place = tracks.querySelector("[data-wave]");
  place.replaceChildren(box);
  place.hidden = false;
  surfer.once("ready", async () => {
    tracks.classList.add("has-wave");
    const found = await moments.all();
    if (document.contains(tracks)) addRegions(regions, lanes, found);
  });
  // The click itself went to its place in the call already.
  regions.on("region-clicked", (region) => moments.show(region.id));
  // It has no recording of its own, so that it tells of the same length as everything else here.
  const follow = () => surfer.setTime(player.time);
  player.addEventListener("time", follow);
  return {
    paint: () => surfer.setOptions({ splitChannels: colours(lanes) }),
    destroy: () => {
      player.removeEventListener("time", follow);
      surfer.destroy();
    },
  };
}

// A quiet recording fills its lanes, too; all parties by the same measure, so that the quieter one looks it.
function louder(lanes) {
  const loudest = lanes.reduce((most, peaks) => peaks.reduce((one, other) => Math.max(one, other), most), 0);
  const by = loudest > 0 ? Math.min(0.95 / loudest, MOST_LOUDER) : 1;
  return lanes.map((peaks) => peaks.map((peak) => peak * by));
}

async function read(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the page works without
  }
}

// wavesurfer puts a style element into its shadow root, which the page's policy forbids. It only comes into force,
// and is only refused, once it is in the document: until then its rules can be taken out and adopted as a sheet.
function takeStyleOut(shadow) {
  const sheet = new CSSStyleSheet();
  for (const style of shadow.querySelectorAll("style")) {
    sheet.replaceSync(style.textContent);
    style.remove();
  }
  shadow.adoptedStyleSheets = [sheet];
}

// What was heard already is drawn in the party's full colour; that covers the other, which is no see-through one.
function colours(lanes) {
  return lanes.map((lane) => ({
    waveColor: colourIn(lane, "color-mix(in srgb, var(--party) 45%, var(--surface))"),
    progressColor: colourIn(lane, "var(--party)"),
  }));
}

function colourIn(element, colour) {
  const probe = document.createElement("span");
  probe.style.color = colour;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function addRegions(regions, lanes, moments) {
  for (const moment of moments) {
    const lane = lanes.findIndex((one) => one.dataset.speaker === moment.speaker);
    const region = regions.addRegion({
      id: moment.id,
      start: moment.start,
      end: Math.max(moment.end, moment.start + SHORTEST_S),
      channelIdx: lane >= 0 ? lane : undefined,
      color: `color-mix(in srgb, var(--moment-${moment.kind}) ${moment.timed ? 9 : 26}%, transparent)`,
      drag: false,
      resize: false,
    });
    if (region.element) {
      region.element.title = moment.label;
      region.element.style.borderTop = `3px solid var(--moment-${moment.kind})`;
    }
  }
}
