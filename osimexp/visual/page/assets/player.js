// The time that everything on the page shows, and its running.

export class Player extends EventTarget {
  constructor() {
    super();
    this.time = 0;
    this.duration = 0;
    this.playing = false;
    this.speed = 1;
    this.loop = true;
  }

  span(duration) {
    this.duration = duration;
    this.seek(Math.min(this.time, duration));
  }

  seek(time) {
    this.time = Math.max(0, Math.min(time, this.duration));
    this.dispatchEvent(new Event("time"));
  }

  play(playing = !this.playing) {
    if (playing && this.time >= this.duration) this.time = 0;
    this.playing = playing && this.duration > 0;
    this.dispatchEvent(new Event("playing"));
  }

  // Called for each picture, with the seconds that passed since the last.
  advance(seconds) {
    if (!this.playing) return;
    const next = this.time + seconds * this.speed;
    if (next < this.duration) return this.seek(next);
    if (this.loop) return this.seek(next % this.duration);
    this.seek(this.duration);
    this.play(false);
  }
}
