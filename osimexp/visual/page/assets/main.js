// The page: what is shown, by which player, in which scene and curves.

import * as THREE from "three";
import { Curves } from "osimexp/curves";
import { load } from "osimexp/data";
import { FigureView, isFleshy } from "osimexp/figure";
import { Movement } from "osimexp/movement";
import { Player } from "osimexp/player";
import { Stage } from "osimexp/stage";

const POLL = 2000; // ms between looks for something newer
const PLAIN = { tint: "#ffffff", share: 0, opacity: 1 };
const SECOND = { tint: "#3f7fd0", share: 0.45, opacity: 1 };
const SLOW = 0.08; // s between pictures, on average, from which on the page draws more simply
const GHOST = { tint: "#2f6fd0", share: 0.75, opacity: 0.38 };
const SWATCHES = ["#e6dfcd", "#5b8fd6"];

const element = (id) => document.getElementById(id);
const player = new Player();
const curves = new Curves(element("panels"), player);
const loaded = new Map(); // figures and movements by address
let stage = null;
let views = [];
let shown = { movements: [] };

function trouble(error) {
  element("trouble").hidden = false;
  element("trouble").textContent = `This cannot be shown: ${error.message ?? error}`;
  console.error(error);
}

async function once(address, read) {
  if (!loaded.has(address)) loaded.set(address, await read(address));
  return loaded.get(address);
}

// Load what `next` names and put it in the place of what is there.
async function change(next) {
  const before = JSON.stringify(shown.movements);
  if (JSON.stringify(next.movements) !== before) {
    const figures = await Promise.all(next.movements.map((one) => once(one.figure, load)));
    const movements = await Promise.all(
      next.movements.map((one) => once(one.movement, Movement.load)));
    const wanted = new Set(next.movements.flatMap((one) => [one.figure, one.movement]));
    [...loaded.keys()].forEach((address) => wanted.has(address) || loaded.delete(address));
    const first = views.length === 0;
    shown = { ...next, figures, loadedMovements: movements };
    if (first) element("through").checked = figures.some(isFleshy);
    build();
    if (first) stage.frame(bounds());
    curves.show(movements);
    player.span(Math.max(...movements.map((movement) => movement.duration)));
  }
  shown = { ...shown, ...next };
  element("note").textContent = next.note ?? "";
  element("note").hidden = !next.note;
  document.body.dataset.version = String(next.version ?? 0);
}

function build() {
  views.forEach((view) => view.dispose());
  const mode = element("second").value;
  const through = element("through").checked;
  const looks = [PLAIN, mode === "ghost" ? GHOST : SECOND];
  views = shown.loadedMovements.map(
    (movement, i) => new FigureView(shown.figures[i], movement, { ...looks[i], through }));
  views.forEach((view) => stage.scene.add(view.group));
  if (views[1]) views[1].group.visible = mode !== "hidden";
  const apart = 0.7 * Math.max(...shown.figures.map((figure) => figure.height));
  views.forEach((view, i) => (view.apart = mode === "beside" ? [0.5 * apart, -0.5 * apart][i] : 0));
  document.body.toggleAttribute("data-pair", views.length > 1);
  element("scale").hidden = views.every((view) => view.movement.width("activations") === 0);
  element("names").replaceChildren(...shown.movements.map((one, i) => {
    const item = document.createElement("li");
    item.textContent = one.name;
    item.style.setProperty("--colour", SWATCHES[i]);
    return item;
  }));
  for (const name of ["muscles", "forces", "wraps"]) {
    views.forEach((view) => view.set(name, element(name).checked));
  }
  pose();
}

function pose() {
  if (views.length === 0) return;
  const together = element("together").checked;
  views.forEach((view) => view.show(player.time));
  views.forEach((view) => {
    const ahead = together ? views[0].centre[0] - view.centre[0] : 0;
    view.group.position.set(ahead, 0, view.apart);
  });
  stage.follow(views[0].centre, element("follow").checked);
  stage.stale = true;
}

function bounds() {
  const box = new THREE.Box3();
  for (const view of views) {
    if (!view.group.visible) continue;
    view.group.updateMatrixWorld(true);
    Object.values(view.parts).flat().forEach((mesh) => box.expandByObject(mesh));
    view.bodies.forEach((body) => box.expandByPoint(body.getWorldPosition(new THREE.Vector3())));
  }
  return box;
}

function showTime() {
  const { time, duration } = player;
  element("scrub").max = duration;
  element("scrub").value = time;
  element("time").textContent = `${time.toFixed(2)} / ${duration.toFixed(2)} s`;
}

function step(direction) {
  player.play(false);
  player.seek(player.time + direction * (shown.loadedMovements?.[0].step ?? 0.02));
}

function listen() {
  player.addEventListener("time", () => {
    showTime();
    pose();
  });
  player.addEventListener("playing", () => {
    element("play").textContent = player.playing ? "❚❚" : "▶";
    element("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
  });
  element("play").addEventListener("click", () => player.play());
  element("back").addEventListener("click", () => step(-1));
  element("forth").addEventListener("click", () => step(1));
  element("scrub").addEventListener("input", (event) => player.seek(Number(event.target.value)));
  element("speed").addEventListener("change", (event) => (player.speed = Number(event.target.value)));
  element("loop").addEventListener("change", (event) => (player.loop = event.target.checked));
  element("home").addEventListener("click", () => stage.frame(bounds()));
  element("together").addEventListener("change", pose);
  element("second").addEventListener("change", () => {
    build();
    stage.frame(bounds());
  });
  element("shadows").addEventListener("change", (event) => stage.shadows(event.target.checked));
  for (const name of ["muscles", "forces", "wraps", "through"]) {
    element(name).addEventListener("change", build);
  }
  stage.controls.addEventListener("change", () => (stage.stale = true));
  window.addEventListener("keydown", (event) => {
    if (event.target.closest("input:not([type=range]):not([type=checkbox]), select")) return;
    const keys = {
      " ": () => player.play(), ArrowLeft: () => step(-1), ArrowRight: () => step(1),
      Home: () => player.seek(0), End: () => player.seek(player.duration),
    };
    if (!(event.key in keys) || (event.key === " " && event.target.closest("button"))) return;
    event.preventDefault();
    keys[event.key]();
  });
}

// Without a graphics processor, shadows and then fineness are given up for speed.
function simplify() {
  if (element("shadows").checked) {
    element("shadows").checked = false;
    stage.shadows(false);
  } else if (stage.sharpness === 1) {
    stage.sharpness = 0.5;
    stage.resize();
  }
}

function run() {
  let last = performance.now();
  let usual = 0;
  const tick = (now) => {
    const passed = (now - last) / 1000;
    player.advance(Math.min(0.25, passed));
    last = now;
    usual = player.playing && passed < 2 ? 0.9 * usual + 0.1 * passed : 0;
    if (usual > SLOW) {
      simplify();
      usual = 0;
    }
    if (stage.stale) stage.draw();
    element("view").dataset.frames = String(stage.frames);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

// A served page looks for something newer; one that could not be reached is tried again.
async function poll() {
  try {
    const answer = await fetch("shown.json", { cache: "no-store" });
    await change(await answer.json());
    element("note").classList.remove("lost");
  } catch (error) {
    element("note").hidden = false;
    element("note").textContent = "The server does not answer; what was loaded can still be played.";
  }
  setTimeout(poll, POLL);
}

async function begin() {
  stage = new Stage(element("view"));
  stage.shadows(element("shadows").checked);
  listen();
  const given = JSON.parse(element("shown").textContent);
  await change(given.served ? await (await fetch("shown.json", { cache: "no-store" })).json() : given);
  showTime();
  run();
  window.osimexp = { player, stage };
  document.body.dataset.ready = "true";
  player.play(true);
  if (given.served && shown.live) setTimeout(poll, POLL);
}

begin().catch(trouble);
