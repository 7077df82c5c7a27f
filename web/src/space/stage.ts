/** The stage: a camera that turns round the room, a renderer that draws when something has changed, labels, and rays from the mouse. */

import * as THREE from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import type { Point } from "../model/answer";

export class Stage {
  readonly scene = new THREE.Scene();
  readonly camera = new THREE.PerspectiveCamera(40, 1, 0.05, 1e5);
  readonly renderer: THREE.WebGLRenderer;
  readonly controls: OrbitControls;
  private isAsked = false;
  frames = 0;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.camera.up.set(0, 0, 1);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement!);
    this.resize();
  }

  /** Draw soon; however often it is asked for, once a frame. */
  draw(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame(() => {
      this.isAsked = false;
      this.frames++;
      this.renderer.render(this.scene, this.camera);
    });
  }

  /** Look at this box from above and the side, all of it. */
  lookAt([low, high]: [Point, Point], from: Point = [-0.55, -1, 0.75]): void {
    const middle = new THREE.Vector3(...low).add(new THREE.Vector3(...high)).multiplyScalar(0.5);
    const size = new THREE.Vector3(...high).distanceTo(new THREE.Vector3(...low));
    const narrow = Math.max(1, 1.15 / this.camera.aspect);
    const away = ((0.56 * size) / Math.tan((this.camera.fov * Math.PI) / 360)) * narrow;
    this.controls.target.copy(middle);
    this.camera.position.copy(middle).addScaledVector(new THREE.Vector3(...from).normalize(), away);
    [this.camera.near, this.camera.far] = [size / 200, size * 50];
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.draw();
  }

  /** A ray from the camera through this point of the page. */
  ray(event: { clientX: number; clientY: number }): THREE.Raycaster {
    const frame = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - frame.left) / frame.width) * 2 - 1;
    const y = 1 - ((event.clientY - frame.top) / frame.height) * 2;
    const ray = new THREE.Raycaster();
    ray.setFromCamera(new THREE.Vector2(x, y), this.camera);
    return ray;
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.canvas.parentElement!;
    if (!clientWidth || !clientHeight) return;
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.updateProjectionMatrix();
    this.draw();
  }
}

/** Everything in this group, gone, with what it holds of the graphics memory. */
export function emptied(group: THREE.Group): THREE.Group {
  group.traverse((each) => {
    const { geometry, material } = each as THREE.Mesh;
    geometry?.dispose();
    for (const one of [material].flat()) {
      (one as THREE.SpriteMaterial | undefined)?.map?.dispose();
      one?.dispose();
    }
  });
  group.clear();
  return group;
}

/** A word beside a place, always the same size and never hidden. */
export function label(text: string, colour: string, at: Point, offset = 1): THREE.Sprite {
  const ratio = Math.min(devicePixelRatio, 2);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d")!;
  const font = `${12 * ratio}px system-ui, sans-serif`;
  pen.font = font;
  [canvas.width, canvas.height] = [Math.ceil(pen.measureText(text).width) + 4, Math.ceil(18 * ratio)];
  pen.font = font;
  pen.fillStyle = colour;
  pen.textBaseline = "middle";
  pen.fillText(text, 2, canvas.height / 2);
  const map = new THREE.CanvasTexture(canvas);
  map.colorSpace = THREE.SRGBColorSpace;
  const sprite = new THREE.Sprite(new THREE.SpriteMaterial({ map, sizeAttenuation: false, depthTest: false, transparent: true }));
  const scale = 0.00125 / ratio;
  sprite.scale.set(canvas.width * scale, canvas.height * scale, 1);
  sprite.center.set(0.5, -0.35 * offset);
  sprite.position.set(...at);
  return sprite;
}

export function lines(points: Point[], colour: string, opacity = 1): THREE.LineSegments {
  const geometry = new THREE.BufferGeometry().setFromPoints(points.map((point) => new THREE.Vector3(...point)));
  return new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ color: colour, transparent: opacity < 1, opacity }));
}
