// A movement between its moments: what is known at two of them, and how far on from the first.

import { load } from "osimexp/data";

export class Movement {
  constructor(packed) {
    Object.assign(this, packed);
    this.time = packed.arrays.time.values;
  }

  static async load(url) {
    return new Movement(await load(url));
  }

  get duration() {
    return this.time[this.time.length - 1];
  }

  // The moment before a time, the moment after it, and the fraction between; held at both ends.
  at(seconds) {
    const time = this.time;
    let before = 0;
    let after = time.length - 1;
    if (seconds <= time[0] || after === 0) return { before: 0, after: 0, fraction: 0 };
    if (seconds >= time[after]) return { before: after, after, fraction: 0 };
    while (after - before > 1) {
      const middle = (before + after) >> 1;
      if (time[middle] <= seconds) before = middle;
      else after = middle;
    }
    return { before, after, fraction: (seconds - time[before]) / (time[after] - time[before]) };
  }

  // Values of an array's row at a moment, interpolated into `into`.
  row(name, moment, into) {
    const { shape, values } = this.arrays[name];
    const width = shape.slice(1).reduce((product, n) => product * n, 1);
    const a = moment.before * width;
    const b = moment.after * width;
    const f = moment.fraction;
    for (let i = 0; i < width; i++) into[i] = values[a + i] * (1 - f) + values[b + i] * f;
    return into;
  }

  width(name) {
    return this.arrays[name].shape.slice(1).reduce((product, n) => product * n, 1);
  }

  // The moments' typical distance, s.
  get step() {
    return this.time.length > 1 ? this.duration / (this.time.length - 1) : 0.02;
  }
}
