/** The microphones: a ball each, coloured by its status, a line down to the floor, its name and what is wrong with it. */

import * as THREE from "three";
import type { Point } from "../model/answer";
import { colour, STATUS } from "../model/colours";
import type { Microphone } from "../model/state";
import { fill } from "./paints";
import { label, lines } from "./stage";

export interface Device extends Microphone {
  status: string;
  at: Point;
}

const MANY = 24; // from which on only those with something to say have a label

export function devices(which: Device[], floor_m: number, diagonal_m: number, chosen: string | null): THREE.Object3D[] {
  if (!which.length) return [];
  return [balls(which, diagonal_m, chosen), drops(which, floor_m), ...labels(which, chosen)];
}

function balls(which: Device[], diagonal_m: number, chosen: string | null): THREE.InstancedMesh {
  const shape = new THREE.OctahedronGeometry(0.011 * diagonal_m, 1);
  const mesh = new THREE.InstancedMesh(shape, fill("white"), which.length);
  const place = new THREE.Matrix4();
  which.forEach(({ name, at, status }, k) => {
    const scale = name === chosen ? 1.5 : 1;
    mesh.setMatrixAt(k, place.makeScale(scale, scale, scale).setPosition(...at));
    mesh.setColorAt(k, new THREE.Color(colour(STATUS[status] ?? "--red")));
  });
  mesh.computeBoundingSphere();
  return mesh;
}

function drops(which: Device[], floor_m: number): THREE.LineSegments {
  const points = which.flatMap(({ at }): Point[] => [at, [at[0], at[1], floor_m]]);
  return lines(points, colour("--edge"), 0.7);
}

function labels(which: Device[], chosen: string | null): THREE.Sprite[] {
  return which
    .filter(({ name, status }) => which.length <= MANY || status !== "ok" || name === chosen)
    .map(({ name, status, at }) => {
      const text = status === "ok" ? name : `${name}: ${status}`;
      return label(text, colour(status === "ok" ? "--quiet" : (STATUS[status] ?? "--red")), at);
    });
}
