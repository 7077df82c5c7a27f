/** The stage: a camera that turns round the room, a renderer that draws when something has changed, labels, and rays from the mouse. */

import * as THREE from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import type { Point } from "../model/answer";
import { stroke } from "./paints";

export class Stage {
  readonly scene = new THREE.Scene();
  readonly camera = new THREE.PerspectiveCamera(40, 1, 0.05, 1e5);
  readonly renderer: THREE.WebGLRenderer;
  readonly controls: OrbitControls;
  private isAsked = false;
  frames = 0;
  private seen: [Point, Point] | null = null;
  /** Whether somebody has turned it: then it stays as it is. */
  isTouched = false;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: !isSoftware() });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.camera.up.set(0, 0, 1);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener("start", () => (this.isTouched = true));
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
      this.render();
    });
  }

  /** Draw now. */
  render(): void {
    this.frames++;
    this.renderer.render(this.scene, this.camera);
  }

  /** Look at this box from above and the side: all of it, as near as that goes. */
  lookAt([low, high]: [Point, Point]): void {
    this.seen = [low, high];
    const middle = new THREE.Vector3(...low).add(new THREE.Vector3(...high)).multiplyScalar(0.5);
    const size = new THREE.Vector3(...high).distanceTo(new THREE.Vector3(...low));
    const towards = new THREE.Vector3(-0.55, -1, 0.75).normalize();
    this.controls.target.copy(middle);
    [this.camera.near, this.camera.far] = [size / 200, size * 50];
    this.camera.updateProjectionMatrix();
    let [near, far] = [0.3 * size, 8 * size];
    for (let step = 0; step < 24; step++) {
      const away = (near + far) / 2;
      this.camera.position.copy(middle).addScaledVector(towards, away);
      if (this.sees(low, high)) far = away;
      else near = away;
    }
    this.controls.update();
    this.draw();
  }

  private sees(low: Point, high: Point): boolean {
    this.camera.lookAt(this.controls.target);
    this.camera.updateMatrixWorld();
    return Array.from({ length: 8 }, (_, c) => [c & 1 ? high[0] : low[0], c & 2 ? high[1] : low[1], c & 4 ? high[2] : low[2]]).every(
      ([x, y, z]) => {
        const seen = new THREE.Vector3(x, y, z).project(this.camera);
        return Math.abs(seen.x) < 0.94 && Math.abs(seen.y) < 0.88 && seen.z < 1;
      },
    );
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
    unit = (2 * Math.tan((this.camera.fov * Math.PI) / 360)) / clientHeight;
    this.scene.traverse((each) => each instanceof THREE.Sprite && sized(each));
    if (this.seen && !this.isTouched) this.lookAt(this.seen);
    this.draw();
  }
}

/** Whether the processor draws, on a machine without graphics: then edges are left as they are. */
function isSoftware(): boolean {
  const pen = document.createElement("canvas").getContext("webgl");
  const info = pen?.getExtension("WEBGL_debug_renderer_info");
  return !!pen && !!info && /swiftshader|llvmpipe|software/i.test(String(pen.getParameter(info.UNMASKED_RENDERER_WEBGL)));
}

/** How large a pixel is, one metre from the camera. */
let unit = 0.00125;

function sized(sprite: THREE.Sprite): THREE.Sprite {
  const [wide, high] = sprite.userData.pixels as [number, number];
  sprite.scale.set(wide * unit, high * unit, 1);
  return sprite;
}

/** Everything in this group, gone, with what it holds of the graphics memory; materials stay (paints.ts), but those of labels. */
export function emptied(group: THREE.Group): void {
  group.traverse((each) => {
    if (each instanceof THREE.Sprite) {
      each.material.map?.dispose();
      each.material.dispose();
    } else if (each !== group) (each as THREE.Mesh).geometry?.dispose();
    if (each instanceof THREE.InstancedMesh) each.dispose();
  });
  group.clear();
}

/** A word beside a place, always the same size and never hidden. */
export function label(text: string, colour: string, at: Point, offset = 1): THREE.Sprite {
  const ratio = Math.min(devicePixelRatio, 2);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d")!;
  const font = `${11.5 * ratio}px system-ui, sans-serif`;
  pen.font = font;
  [canvas.width, canvas.height] = [Math.ceil(pen.measureText(text).width) + 4, Math.ceil(17 * ratio)];
  pen.font = font;
  pen.fillStyle = colour;
  pen.textBaseline = "middle";
  pen.fillText(text, 2, canvas.height / 2);
  const map = new THREE.CanvasTexture(canvas);
  map.colorSpace = THREE.SRGBColorSpace;
  const sprite = new THREE.Sprite(new THREE.SpriteMaterial({ map, sizeAttenuation: false, depthTest: false, transparent: true }));
  sprite.userData.pixels = [canvas.width / ratio, canvas.height / ratio];
  sprite.center.set(0.5, -0.35 * offset);
  sprite.position.set(...at);
  sprite.renderOrder = 10;
  return sized(sprite);
}

export function lines(points: Point[], colour: string, opacity = 1): THREE.LineSegments {
  const geometry = new THREE.BufferGeometry().setFromPoints(points.map((point) => new THREE.Vector3(...point)));
  return new THREE.LineSegments(geometry, stroke(colour, opacity));
}
