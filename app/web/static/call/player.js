// The recording: where it is, how fast, a stretch repeated, silences left out. Everything else listens to it.
const SKIP_MARGIN_S = 0.25;

export class Player extends EventTarget {
  // `audio` is null where there is nothing to play: then it is only a place in the call.
  constructor(audio, durationS) {
    super();
    this.audio = audio;
    this.durationS = durationS;
    this.place = 0;
    this.loop = null;
    this.endsAt = null;
    this.silences = [];
    this.skipsSilence = false;
    if (!audio) return;
    for (const name of ["play", "pause", "ended", "ratechange", "error"]) {
      audio.addEventListener(name, () => this.tell("state"));
    }
    audio.addEventListener("play", () => this.run());
    audio.addEventListener("seeked", () => this.tell("time"));
    audio.addEventListener("timeupdate", () => {
      if (document.hidden) this.step(); // frames stand still in a tab that nobody sees
    });
  }

  get time() {
    return this.audio ? this.audio.currentTime : this.place;
  }

  get isPlaying() {
    return Boolean(this.audio) && !this.audio.paused;
  }

  tell(name) {
    this.dispatchEvent(new CustomEvent(name));
  }

  run() {
    const frame = () => {
      if (!this.isPlaying) return;
      this.step();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  step() {
    const time = this.time;
    if (this.loop && time >= this.loop.end) {
      this.audio.currentTime = this.loop.start;
    } else if (this.endsAt !== null && time >= this.endsAt) {
      this.endsAt = null;
      this.audio.pause();
    } else if (this.skipsSilence) {
      this.leaveSilence(time);
    }
    this.tell("time");
  }

  leaveSilence(time) {
    const here = this.silences.find((one) => time >= one.start + SKIP_MARGIN_S && time < one.end - 2 * SKIP_MARGIN_S);
    if (here) this.audio.currentTime = here.end - SKIP_MARGIN_S;
  }

  // Goes to a time in seconds; `until`: stops there.
  seek(time, { play = false, until = null } = {}) {
    const place = Math.min(Math.max(time, 0), this.durationS);
    this.place = place;
    this.endsAt = until;
    if (this.loop && (place < this.loop.start || place > this.loop.end)) this.setLoop(null);
    if (this.audio) {
      this.audio.currentTime = place;
      if (play) this.play();
    }
    this.tell("time");
  }

  move(seconds) {
    this.seek(this.time + seconds);
  }

  play() {
    this.audio?.play().catch(() => this.tell("state"));
  }

  toggle() {
    if (!this.audio) return;
    if (this.isPlaying) this.audio.pause();
    else this.play();
  }

  setSpeed(speed) {
    if (this.audio) this.audio.playbackRate = speed;
  }

  setLoop(stretch) {
    this.loop = stretch;
    this.tell("state");
  }

  setSkip(skips) {
    this.skipsSilence = skips;
    this.tell("state");
  }
}
