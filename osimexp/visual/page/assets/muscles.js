// All muscles of a figure as one mesh of tubes along their paths, coloured by activation.

import * as THREE from "three";

const STATIONS = 24; // along a muscle
const SIDES = 8;
const TENDON = 0.28; // radius at the ends, of the belly's
const REST = new THREE.Color("#6d86a3");
const HALF = new THREE.Color("#9c5a6d");
const FULL = new THREE.Color("#d81f26");

export class Muscles {
  constructor(radii, pathPoints, material) {
    this.radii = radii;
    this.pathPoints = pathPoints;
    const vertices = radii.length * STATIONS * SIDES;
    const attribute = (width) => {
      const made = new THREE.BufferAttribute(new Float32Array(vertices * width), width);
      return made.setUsage(THREE.DynamicDrawUsage);
    };
    this.geometry = new THREE.BufferGeometry();
    this.geometry.setAttribute("position", attribute(3));
    this.geometry.setAttribute("normal", attribute(3));
    this.geometry.setAttribute("color", attribute(3));
    this.geometry.setIndex(corners(radii.length));
    this.mesh = new THREE.Mesh(this.geometry, material);
    this.mesh.frustumCulled = false;
    this.points = new Float32Array(3 * pathPoints.reduce((sum, n) => sum + n, 0));
    this.activations = new Float32Array(radii.length);
    this.line = new Float32Array(3 * STATIONS);
    this.profile = Float32Array.from({ length: STATIONS }, (_, i) => {
      const along = i / (STATIONS - 1);
      return TENDON + (1 - TENDON) * Math.sin(Math.PI * along) ** 2;
    });
  }

  show(movement, moment) {
    movement.row("paths", moment, this.points);
    const known = movement.width("activations") === this.radii.length;
    if (known) movement.row("activations", moment, this.activations);
    let first = 0;
    for (let muscle = 0; muscle < this.radii.length; muscle++) {
      along(this.points, first, this.pathPoints[muscle], this.line);
      this.wrap(muscle);
      first += this.pathPoints[muscle];
    }
    for (const name of ["position", "normal", "color"]) {
      this.geometry.attributes[name].needsUpdate = true;
    }
  }

  // A tube about `this.line`: circles at right angles to it that turn as little as they can.
  wrap(muscle) {
    const { position, normal, color } = this.geometry.attributes;
    const colour = mixed(this.activations[muscle]);
    const swell = 1 + 0.15 * this.activations[muscle];
    const line = this.line;
    side.set(0, 0, 1);
    let k = muscle * STATIONS * SIDES * 3;
    for (let i = 0; i < STATIONS; i++) {
      const a = 3 * Math.max(0, i - 1);
      const b = 3 * Math.min(STATIONS - 1, i + 1);
      forward.set(line[b] - line[a], line[b + 1] - line[a + 1], line[b + 2] - line[a + 2]);
      if (forward.lengthSq() < 1e-14) forward.set(0, 1, 0);
      forward.normalize();
      side.addScaledVector(forward, -side.dot(forward));
      if (side.lengthSq() < 1e-6) side.set(1, 0, 0).addScaledVector(forward, -forward.x);
      side.normalize();
      across.crossVectors(forward, side);
      const radius = this.radii[muscle] * this.profile[i] * swell;
      for (let j = 0; j < SIDES; j++, k += 3) {
        for (let axis = 0; axis < 3; axis++) {
          const out = COS[j] * side.getComponent(axis) + SIN[j] * across.getComponent(axis);
          normal.array[k + axis] = out;
          position.array[k + axis] = line[3 * i + axis] + radius * out;
        }
        color.array[k] = colour.r;
        color.array[k + 1] = colour.g;
        color.array[k + 2] = colour.b;
      }
    }
  }
}

const COS = Array.from({ length: SIDES }, (_, j) => Math.cos((2 * Math.PI * j) / SIDES));
const SIN = Array.from({ length: SIDES }, (_, j) => Math.sin((2 * Math.PI * j) / SIDES));
const forward = new THREE.Vector3();
const side = new THREE.Vector3();
const across = new THREE.Vector3();
const shade = new THREE.Color();

function mixed(activation) {
  const a = Math.max(0, Math.min(1, activation));
  return a < 0.5
    ? shade.lerpColors(REST, HALF, 2 * a)
    : shade.lerpColors(HALF, FULL, 2 * a - 1);
}

// Points at equal distances along a path of `count` points from `first` on.
function along(points, first, count, line) {
  let length = 0;
  for (let i = first + 1; i < first + count; i++) length += distance(points, i);
  let segment = first + 1;
  let begun = 0;
  for (let station = 0; station < STATIONS; station++) {
    const wanted = (length * station) / (STATIONS - 1);
    while (segment < first + count - 1 && begun + distance(points, segment) < wanted) {
      begun += distance(points, segment++);
    }
    const whole = distance(points, segment);
    const f = whole > 0 ? Math.min(1, (wanted - begun) / whole) : 0;
    for (let axis = 0; axis < 3; axis++) {
      const from = points[3 * (segment - 1) + axis];
      line[3 * station + axis] = from + f * (points[3 * segment + axis] - from);
    }
  }
}

function distance(points, i) {
  const a = 3 * (i - 1);
  const b = 3 * i;
  return Math.hypot(points[b] - points[a], points[b + 1] - points[a + 1], points[b + 2] - points[a + 2]);
}

function corners(muscles) {
  const index = [];
  for (let muscle = 0; muscle < muscles; muscle++) {
    const base = muscle * STATIONS * SIDES;
    for (let i = 0; i < STATIONS - 1; i++) {
      for (let j = 0; j < SIDES; j++) {
        const a = base + i * SIDES + j;
        const b = base + i * SIDES + ((j + 1) % SIDES);
        index.push(a, b, a + SIDES, b, b + SIDES, a + SIDES);
      }
    }
  }
  return index;
}
