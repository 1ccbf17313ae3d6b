// A figure in the scene: bodies, muscles, ground forces and targets, put where a moment has them.

import * as THREE from "three";
import { Muscles } from "osimexp/muscles";

const WEIGHT_LENGTH = 0.45; // of an arrow for one body weight, of the figure's height
const NEWTONS = 700; // that stand for a body weight where the mass is not known
const THROUGH = 0.42; // opacity of limbs that muscles are seen through
const FORCE = "#0f9d76";
const TARGET = "#f59e0b";

// How a figure is drawn: `tint` mixes into its shapes' colours, `opacity` is below 1 for a ghost, and
// `through` lets its muscles be seen through its limbs.
export class FigureView {
  constructor(figure, movement, look) {
    this.figure = figure;
    this.movement = movement;
    this.look = look;
    this.group = new THREE.Group();
    this.materials = new Map();
    this.shapes = new Map();
    this.bodies = figure.bodies.map(() => this.group.add(new THREE.Group()).children.at(-1));
    this.parts = { bone: [], contact: [], wrap: [] };
    figure.pieces.forEach((piece) => this.addPiece(piece));
    this.addMuscles();
    this.arrows = this.addMarks("forces", () => arrow(this.material(FORCE, 1)));
    this.targets = this.addMarks("targets", () => this.ball(TARGET));
    this.positions = new Float32Array(movement.width("positions"));
    this.rotations = new Float32Array(movement.width("rotations"));
    this.centre = new Float32Array(3);
  }

  material(colour, opacity, extra = {}) {
    const seen = opacity * this.look.opacity;
    const key = JSON.stringify([colour, seen, extra]);
    if (!this.materials.has(key)) {
      this.materials.set(key, new THREE.MeshStandardMaterial({
        color: colour, roughness: 0.62, metalness: 0.02, opacity: seen,
        transparent: seen < 1, depthWrite: seen >= 1 || this.look.opacity < 1, ...extra,
      }));
    }
    return this.materials.get(key);
  }

  addPiece(piece) {
    const [red, green, blue] = piece.colour;
    const colour = new THREE.Color().setRGB(red, green, blue, THREE.SRGBColorSpace);
    colour.lerp(new THREE.Color(this.look.tint), this.look.share);
    const limb = piece.part === "bone" && piece.kind !== "mesh";
    const opacity = piece.opacity * (limb && this.look.through ? THROUGH : 1);
    const material = this.material(`#${colour.getHexString()}`, opacity, limb ? { depthWrite: true } : {});
    const mesh = new THREE.Mesh(this.shape(piece), material);
    mesh.matrixAutoUpdate = false;
    mesh.matrix.fromArray(piece.placement);
    if (piece.kind !== "capsule") mesh.matrix.scale(new THREE.Vector3(...piece.size));
    mesh.castShadow = piece.opacity >= 1 && this.look.opacity >= 1;
    mesh.receiveShadow = mesh.castShadow && opacity >= 1;
    mesh.visible = piece.part !== "wrap";
    this.parts[piece.part].push(mesh);
    (piece.body < 0 ? this.group : this.bodies[piece.body]).add(mesh);
  }

  shape(piece) {
    const [radius, half] = piece.size;
    const key = piece.kind === "capsule" ? `capsule ${radius} ${half}`
      : piece.kind === "mesh" ? `mesh ${piece.mesh}` : piece.kind;
    if (!this.shapes.has(key)) {
      this.shapes.set(key, {
        capsule: () => new THREE.CapsuleGeometry(radius, 2 * half, 8, 24),
        box: () => new THREE.BoxGeometry(2, 2, 2),
        ellipsoid: () => new THREE.SphereGeometry(1, 28, 18),
        mesh: () => surface(this.figure.arrays, piece.mesh),
      }[piece.kind]());
    }
    return this.shapes.get(key);
  }

  addMuscles() {
    const material = this.material("#ffffff", 1, { vertexColors: true, roughness: 0.45 });
    this.muscles = new Muscles(this.figure.muscleRadii, this.movement.pathPoints, material);
    this.muscles.mesh.castShadow = this.look.opacity >= 1;
    this.group.add(this.muscles.mesh);
  }

  addMarks(name, make) {
    return Array.from({ length: this.movement.arrays[name].shape[1] }, () => {
      const mark = make();
      this.group.add(mark);
      return mark;
    });
  }

  ball(colour) {
    const radius = Math.max(0.015, 0.025 * this.figure.height);
    const geometry = new THREE.SphereGeometry(radius, 24, 16);
    return new THREE.Mesh(geometry, this.material(colour, 1));
  }

  // Put everything where it is at a time, s.
  show(seconds) {
    const movement = this.movement;
    const moment = movement.at(seconds);
    movement.row("positions", moment, this.positions);
    turned(movement.arrays.rotations, moment, this.rotations);
    this.bodies.forEach((body, i) => {
      body.position.fromArray(this.positions, 3 * i);
      body.quaternion.fromArray(this.rotations, 4 * i).normalize();
    });
    this.muscles.show(movement, moment);
    movement.row("centre", moment, this.centre);
    const forces = movement.row("forces", moment, []);
    const soles = movement.row("soles", moment, []);
    const metres = (WEIGHT_LENGTH * this.figure.height) / (movement.weight || NEWTONS);
    this.arrows.forEach((mark, i) => point(mark, soles, forces, 3 * i, metres, this.forces));
    const targets = movement.row("targets", moment, []);
    this.targets.forEach((mark, i) => mark.position.fromArray(targets, 3 * i));
  }

  set(name, on) {
    if (name === "muscles") this.muscles.mesh.visible = on;
    if (name === "wraps") this.parts.wrap.forEach((mesh) => (mesh.visible = on));
    if (name === "forces") {
      this.forces = on;
      this.arrows.forEach((mark) => (mark.visible = mark.visible && on));
    }
  }

  dispose() {
    this.group.removeFromParent();
    this.group.traverse((part) => part.geometry?.dispose());
    this.materials.forEach((material) => material.dispose());
  }
}

function surface(arrays, number) {
  const geometry = new THREE.BufferGeometry();
  const vertices = arrays[`vertices ${number}`].values;
  geometry.setAttribute("position", new THREE.BufferAttribute(vertices, 3));
  geometry.setIndex(new THREE.BufferAttribute(arrays[`triangles ${number}`].values, 1));
  geometry.computeVertexNormals();
  return geometry;
}

// Quaternions lie on the same side of the sphere from one moment to the next.
function turned({ shape, values }, moment, into) {
  const width = shape[1] * 4;
  const a = moment.before * width;
  const b = moment.after * width;
  for (let i = 0; i < width; i++) {
    into[i] = values[a + i] + moment.fraction * (values[b + i] - values[a + i]);
  }
}

// An arrow one metre long along y, whose head keeps its shape where the shaft is stretched.
function arrow(material) {
  const shaft = new THREE.Mesh(new THREE.CylinderGeometry(0.012, 0.012, 1, 16), material);
  shaft.geometry.translate(0, 0.5, 0);
  const head = new THREE.Mesh(new THREE.ConeGeometry(0.032, 0.08, 20), material);
  const made = new THREE.Group();
  made.add(shaft, head);
  return made;
}

const direction = new THREE.Vector3();
const UP = new THREE.Vector3(0, 1, 0);

function point(mark, origins, forces, at, metres, shown = true) {
  direction.fromArray(forces, at).multiplyScalar(metres);
  const length = direction.length();
  mark.visible = shown && length > 0.01;
  if (!mark.visible) return;
  mark.position.fromArray(origins, at);
  mark.quaternion.setFromUnitVectors(UP, direction.normalize());
  const [shaft, head] = mark.children;
  shaft.scale.y = Math.max(0.001, length - 0.04);
  head.position.y = length - 0.04;
}

// Whether muscles hide in limbs, where no bones' meshes are known.
export function isFleshy(figure) {
  const limb = (piece) => piece.part === "bone" && piece.kind !== "mesh";
  return figure.muscles.length > 0 && figure.pieces.some(limb);
}
