/** Materials, each made once: a material that is gone takes its compiled program with it, and the next one waits for a new one. */

import * as THREE from "three";

const made = new Map<string, THREE.Material>();

function kept<M extends THREE.Material>(key: string, make: () => M): M {
  if (!made.has(key)) made.set(key, make());
  return made.get(key) as M;
}

export const stroke = (colour: string, opacity = 1): THREE.LineBasicMaterial =>
  kept(`stroke ${colour} ${opacity}`, () => new THREE.LineBasicMaterial({ color: colour, transparent: opacity < 1, opacity }));

export const strokes = (opacity: number): THREE.LineBasicMaterial =>
  kept(`strokes ${opacity}`, () => new THREE.LineBasicMaterial({ vertexColors: true, transparent: true, opacity }));

export const fill = (colour: string, opacity = 1, side: THREE.Side = THREE.FrontSide): THREE.MeshBasicMaterial =>
  kept(`fill ${colour} ${opacity} ${side}`, () => {
    const isClear = opacity < 1;
    return new THREE.MeshBasicMaterial({ color: colour, transparent: isClear, opacity, side, depthWrite: !isClear });
  });

/** One that changes its colour: nothing else on the stage may have it. */
export function tinted(name: string, colour: THREE.Color): THREE.MeshBasicMaterial {
  const material = kept(`tinted ${name}`, () => new THREE.MeshBasicMaterial());
  material.color.copy(colour);
  return material;
}

/** One that shows a picture on both sides; the picture before it is gone. */
export function pictured(map: THREE.Texture): THREE.MeshBasicMaterial {
  const material = kept("pictured", () => new THREE.MeshBasicMaterial({ map, transparent: true, side: THREE.DoubleSide, depthWrite: false }));
  if (material.map !== map) material.map?.dispose();
  material.map = map;
  return material;
}

/** Round spots of this size (m), each of its own colour. */
export const spots = (size: number): THREE.PointsMaterial =>
  kept(`spots ${size}`, () => new THREE.PointsMaterial({ size, vertexColors: true, map: disc(), alphaTest: 0.5 }));

function disc(): THREE.Texture {
  const canvas = Object.assign(document.createElement("canvas"), { width: 32, height: 32 });
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = "#fff";
  pen.arc(16, 16, 15, 0, 2 * Math.PI);
  pen.fill();
  return new THREE.CanvasTexture(canvas);
}
