// The scene around the figures: light, floor, haze and a camera that may follow.

import * as THREE from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

const SKY = "#e9eff5";
const SQUARE = 0.5; // m, of the floor
const SIZE = 60; // m, of the floor around the camera's target

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true });
    this.renderer.shadowMap.type = THREE.PCFShadowMap;
    this.scene = new THREE.Scene();
    this.scene.background = new THREE.Color(SKY);
    this.camera = new THREE.PerspectiveCamera(38, 1, 0.02, 120);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = false;
    this.controls.maxPolarAngle = Math.PI * 0.495;
    this.floor = floor();
    this.sun = new THREE.DirectionalLight("#fff6e8", 2.3);
    const sky = new THREE.HemisphereLight("#ffffff", "#aab4c0", 1.7);
    const back = new THREE.DirectionalLight("#cfe3ff", 0.7);
    back.position.set(-3, 2, -4);
    this.scene.add(this.floor, this.sun, this.sun.target, sky, back);
    this.followed = null;
    this.reach = 1;
    this.frames = 0;
    this.sharpness = 1;
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    this.resize();
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas.parentElement;
    this.renderer.setPixelRatio(this.sharpness * Math.min(window.devicePixelRatio, 2));
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / Math.max(1, clientHeight);
    this.camera.updateProjectionMatrix();
    this.stale = true;
  }

  // Look at a box from the model's right, a little from the front and above. The floor is at a height
  // of 0, or beneath what hangs in the air below that.
  frame(box) {
    const size = box.getSize(new THREE.Vector3());
    const centre = box.getCenter(new THREE.Vector3());
    this.reach = Math.max(0.2, size.length());
    const angle = Math.tan((this.camera.fov * Math.PI) / 360);
    const distance = (0.62 * this.reach) / (angle * Math.min(1, 1.1 * this.camera.aspect));
    this.controls.target.copy(centre);
    this.camera.position.set(0.5, 0.16, 1).normalize().multiplyScalar(distance).add(centre);
    this.controls.minDistance = 0.1 * this.reach;
    this.controls.maxDistance = 15 * this.reach;
    this.scene.fog = new THREE.Fog(SKY, 5 * this.reach, 16 * this.reach);
    this.floor.position.y = box.min.y < -0.1 ? box.min.y - 0.4 * this.reach : 0;
    this.followed = null;
    this.light();
    this.controls.update();
    this.stale = true;
  }

  // Move the camera with a point over the floor; how it looks at it stays the viewer's.
  follow(centre, on) {
    const point = new THREE.Vector3(centre[0], 0, centre[2]);
    if (on && this.followed) {
      const moved = point.clone().sub(this.followed);
      this.camera.position.add(moved);
      this.controls.target.add(moved);
      this.controls.update();
    }
    this.followed = point;
  }

  shadows(on) {
    this.renderer.shadowMap.enabled = on;
    this.sun.castShadow = on;
    this.scene.traverse((part) => {
      if (part.material) part.material.needsUpdate = true;
    });
    this.stale = true;
  }

  light() {
    const r = this.reach;
    const { camera, mapSize } = this.sun.shadow;
    Object.assign(camera, { left: -1.6 * r, right: 1.6 * r, top: 1.6 * r, bottom: -1.6 * r, near: 0.1 * r, far: 8 * r });
    camera.updateProjectionMatrix();
    mapSize.set(1024, 1024);
    this.sun.shadow.normalBias = 0.01 * r;
    this.sun.shadow.bias = -0.0005;
    this.sun.shadow.radius = 4;
  }

  draw() {
    const target = this.controls.target;
    const snap = (value) => Math.round(value / (2 * SQUARE)) * 2 * SQUARE;
    this.floor.position.x = snap(target.x);
    this.floor.position.z = snap(target.z);
    this.sun.target.position.copy(target);
    this.sun.position.copy(target).add(
      new THREE.Vector3(0.35, 1, 0.55).normalize().multiplyScalar(3 * this.reach));
    this.renderer.render(this.scene, this.camera);
    this.frames += 1;
    this.stale = false;
  }
}

function floor() {
  const board = document.createElement("canvas");
  board.width = board.height = 2;
  const pen = board.getContext("2d");
  pen.fillStyle = "#dde4ea";
  pen.fillRect(0, 0, 2, 2);
  pen.fillStyle = "#c9d2db";
  pen.fillRect(0, 0, 1, 1);
  pen.fillRect(1, 1, 1, 1);
  const texture = new THREE.CanvasTexture(board);
  texture.wrapS = texture.wrapT = THREE.RepeatWrapping;
  texture.repeat.set(SIZE / (2 * SQUARE), SIZE / (2 * SQUARE));
  texture.magFilter = THREE.NearestFilter;
  texture.anisotropy = 4;
  texture.colorSpace = THREE.SRGBColorSpace;
  const material = new THREE.MeshLambertMaterial({ map: texture });
  const made = new THREE.Mesh(new THREE.PlaneGeometry(SIZE, SIZE), material);
  made.rotation.x = -Math.PI / 2;
  made.receiveShadow = true;
  return made;
}
