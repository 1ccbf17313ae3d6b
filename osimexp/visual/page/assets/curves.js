// Panels of curves over time, with a line at the time that the figure shows.

const COLOURS = ["#1d6fb8", "#d1495b", "#2e8b57", "#e09f1f", "#7b4fb5", "#17a2a8", "#8c564b", "#db6fb4"];
const AT_FIRST = 4; // curves of a panel, until others are chosen
const WANTED = ["Joint angles", "Activations", "Ground forces"];

export class Curves {
  constructor(place, player) {
    this.place = place;
    this.player = player;
    this.panels = [];
    player.addEventListener("time", () => this.panels.forEach((panel) => panel.mark()));
  }

  // Show movements, of which the first says what there is.
  show(movements) {
    const titles = movements[0].curves.map((curves) => curves.title);
    const first = WANTED.filter((title) => titles.includes(title));
    for (const title of titles) if (first.length < 3 && !first.includes(title)) first.push(title);
    const same = this.panels.length > 0 && this.panels.every((p) => titles.includes(p.title));
    if (!same) {
      this.place.replaceChildren();
      this.panels = first.slice(0, 3).map((title) => new Panel(this.place, this.player, title));
    }
    this.place.hidden = this.panels.length === 0;
    this.panels.forEach((panel) => panel.show(movements));
  }
}

class Panel {
  constructor(place, player, title) {
    this.player = player;
    this.title = title;
    this.chosen = new Map(); // names of curves by title
    this.root = place.appendChild(document.createElement("section"));
    this.root.className = "panel";
    this.root.innerHTML = `<header><select aria-label="What is drawn"></select><span class="unit"></span>
      <details><summary>choose…</summary><div class="channels"></div></details></header>
      <div class="values"></div><div class="plot"></div>`;
    this.select = this.root.querySelector("select");
    this.values = this.root.querySelector(".values");
    this.box = this.root.querySelector(".plot");
    new ResizeObserver(() => this.resize()).observe(this.box);
    this.select.addEventListener("change", () => {
      this.title = this.select.value;
      this.build();
    });
  }

  show(movements) {
    this.movements = movements;
    const titles = movements[0].curves.map((curves) => curves.title);
    this.select.replaceChildren(...titles.map((title) => new Option(title, title)));
    this.select.value = this.title;
    this.build();
  }

  build() {
    this.sets = this.movements.map((movement) => set(movement, this.title));
    const { names, unit } = this.sets[0];
    if (!this.chosen.has(this.title)) this.chosen.set(this.title, liveliest(this.sets[0]));
    this.root.querySelector(".unit").textContent = unit;
    const boxes = names.map((name) => this.choice(name));
    this.root.querySelector(".channels").replaceChildren(...boxes);
    this.draw();
  }

  choice(name) {
    const label = document.createElement("label");
    const box = label.appendChild(document.createElement("input"));
    box.type = "checkbox";
    box.checked = this.chosen.get(this.title).includes(name);
    label.append(` ${name}`);
    box.addEventListener("change", () => {
      const others = this.chosen.get(this.title).filter((one) => one !== name);
      const wanted = box.checked ? [...others, name] : others;
      this.chosen.set(this.title, this.sets[0].names.filter((one) => wanted.includes(one)));
      this.draw();
    });
    return label;
  }

  draw() {
    const names = this.chosen.get(this.title);
    this.readouts = names.map((name, i) => {
      const span = document.createElement("span");
      span.style.setProperty("--colour", COLOURS[i % COLOURS.length]);
      span.append(`${name} `, document.createElement("b"));
      return span;
    });
    this.values.replaceChildren(...this.readouts);
    const series = [{}];
    const tables = this.sets.map((curves, number) => {
      const columns = names.filter((name) => curves.names.includes(name));
      for (const name of columns) series.push(look(names.indexOf(name), number));
      return [curves.time, ...columns.map((name) => curves.column(name))];
    });
    this.plot?.destroy();
    this.plot = new uPlot(this.options(series), uPlot.join(tables), this.box);
    this.now = this.plot.over.appendChild(document.createElement("div"));
    this.now.className = "now";
    this.scrub();
    this.mark();
  }

  options(series) {
    const grid = { stroke: "#e7ecf1", width: 1 };
    const axis = { grid, ticks: grid, stroke: "#64748b", font: "11px system-ui, sans-serif" };
    return {
      width: Math.max(50, this.box.clientWidth),
      height: Math.max(60, this.box.clientHeight),
      legend: { show: false },
      cursor: { show: false },
      padding: [6, 16, 0, 0],
      scales: { x: { time: false, range: () => [0, Math.max(0.01, this.player.duration)] } },
      axes: [{ ...axis, size: 26, values: (_, ticks) => ticks.map((t) => `${t} s`) }, { ...axis, size: 46 }],
      series,
    };
  }

  // Pointing into the curves sets the time.
  scrub() {
    const over = this.plot.over;
    const seek = (event) => {
      if (event.buttons & 1) {
        this.player.seek(this.plot.posToVal(event.clientX - over.getBoundingClientRect().left, "x"));
      }
    };
    over.addEventListener("pointerdown", (event) => {
      over.setPointerCapture(event.pointerId);
      seek(event);
    });
    over.addEventListener("pointermove", seek);
  }

  resize() {
    this.plot?.setSize({ width: this.box.clientWidth, height: Math.max(60, this.box.clientHeight) });
    if (this.plot) this.mark();
  }

  mark() {
    const { time, duration } = this.player;
    const x = (time / Math.max(0.01, duration)) * this.plot.over.clientWidth;
    this.now.style.transform = `translateX(${x}px)`;
    this.chosen.get(this.title).forEach((name, i) => {
      const shown = this.sets.map((curves) => brief(curves.at(name, time)));
      this.readouts[i].querySelector("b").textContent = shown.join(" | ");
    });
  }
}

// One title's curves of a movement.
function set(movement, title) {
  const number = movement.curves.findIndex((curves) => curves.title === title);
  if (number < 0) return { names: [], unit: "", time: movement.time, at: () => NaN };
  const { names, unit } = movement.curves[number];
  const { values } = movement.arrays[`curves ${number}`];
  const width = names.length;
  return {
    names,
    unit,
    time: movement.time,
    column: (name) => {
      const at = names.indexOf(name);
      return Array.from(movement.time, (_, row) => values[row * width + at]);
    },
    at: (name, seconds) => {
      const { before, after, fraction } = movement.at(seconds);
      const at = names.indexOf(name);
      if (at < 0) return NaN;
      return values[before * width + at] * (1 - fraction) + values[after * width + at] * fraction;
    },
  };
}

// The curves that move most, of the right side where sides are named.
function liveliest(curves) {
  const right = curves.names.filter((name) => /(_r|_right)$/.test(name));
  const among = right.length > 1 ? right : curves.names;
  const range = (name) => {
    const column = curves.column(name);
    return Math.max(...column) - Math.min(...column);
  };
  const ranked = [...among].sort((a, b) => range(b) - range(a)).slice(0, AT_FIRST);
  return curves.names.filter((name) => ranked.includes(name));
}

function look(colour, movement) {
  const stroke = COLOURS[colour % COLOURS.length];
  const dash = movement ? [5, 4] : undefined;
  return { stroke, width: movement ? 1.2 : 1.7, dash, points: { show: false }, spanGaps: true };
}

function brief(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2).replace(/^-(?=[0.]+$)/, "");
}
