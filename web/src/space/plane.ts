/** Numbers over a plane, as colours: the likelihood of a window, or the error to expect. */

import * as THREE from "three";
import type { Point } from "../model/answer";
import { viridis } from "../model/colours";
import { pictured } from "./paints";

export interface Painted {
  columns: number;
  rows: number;
  values: ArrayLike<number>;
  /** To 0..1: how bright, and how opaque. */
  share: (value: number) => number;
  opacity: (share: number) => number;
}

/** A painted plane where coordinate `axis` is `at_m`, over the other two sides of the box. */
export function plane(painted: Painted, [low, high]: [Point, Point], axis: 0 | 1 | 2, at_m: number): THREE.Mesh {
  const [across, up] = [0, 1, 2].filter((each) => each !== axis);
  const corner = (right: boolean, top: boolean): Point => {
    const point: Point = [0, 0, 0];
    point[axis] = at_m;
    point[across] = right ? high[across] : low[across];
    point[up] = top ? high[up] : low[up];
    return point;
  };
  const geometry = new THREE.BufferGeometry();
  const corners = [corner(false, false), corner(true, false), corner(true, true), corner(false, true)].flat();
  geometry.setAttribute("position", new THREE.Float32BufferAttribute(corners, 3));
  geometry.setAttribute("uv", new THREE.Float32BufferAttribute([0, 0, 1, 0, 1, 1, 0, 1], 2));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  return new THREE.Mesh(geometry, pictured(texture(painted)));
}

function texture({ columns, rows, values, share, opacity }: Painted): THREE.DataTexture {
  const pixels = new Uint8Array(4 * columns * rows);
  for (let n = 0; n < columns * rows; n++) {
    const bright = share(values[n]);
    pixels.set([...viridis(bright), Math.round(255 * opacity(bright))], 4 * n);
  }
  const map = new THREE.DataTexture(pixels, columns, rows);
  map.colorSpace = THREE.SRGBColorSpace;
  map.magFilter = map.minFilter = THREE.LinearFilter;
  map.needsUpdate = true;
  return map;
}
