/** Regions that hold 90 %: ellipsoids of the covariance. Large ones are outlines, so that they hide no good answer. */

import * as THREE from "three";
import type { Direction, Point, Source } from "../model/answer";
import { fill, stroke } from "./paints";

const DEVIATIONS_90 = 2.5003; // of a Gaussian in space
export const LARGE_SHARE = 0.15; // of the box's diagonal

/** From the unit sphere to the region. */
export function ellipsoid({ position_m, covariance_m2: c }: Source): THREE.Matrix4 {
  const l = cholesky(c).map((row) => row.map((value) => DEVIATIONS_90 * value));
  const [x, y, z] = position_m;
  return new THREE.Matrix4().set(
    l[0][0], 0, 0, x,
    l[1][0], l[1][1], 0, y,
    l[2][0], l[2][1], l[2][2], z,
    0, 0, 0, 1,
  );
}

/** L of c = L Lᵀ; what is not positive counts as a millimetre. */
export function cholesky(c: Point[]): Point[] {
  const l: Point[] = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = c[i][j];
      for (let k = 0; k < j; k++) rest -= l[i][k] * l[j][k];
      l[i][j] = i === j ? Math.sqrt(Math.max(rest, 1e-6)) : rest / l[j][j];
    }
  }
  return l;
}

const BALL = new THREE.SphereGeometry(1, 24, 16);
const RINGS = ringsOf(BALL.parameters.radius);

function ringsOf(radius: number): THREE.BufferGeometry {
  const points: THREE.Vector3[] = [];
  for (const [a, b] of [[0, 1], [0, 2], [1, 2]]) {
    for (let k = 0; k < 48; k++) {
      for (const at of [k, k + 1]) {
        const point = [0, 0, 0];
        point[a] = radius * Math.cos((2 * Math.PI * at) / 48);
        point[b] = radius * Math.sin((2 * Math.PI * at) / 48);
        points.push(new THREE.Vector3(...(point as Point)));
      }
    }
  }
  return new THREE.BufferGeometry().setFromPoints(points);
}

export function region(source: Source, colour: string, diagonal_m: number): THREE.Object3D {
  const isLarge = source.radius90_m > LARGE_SHARE * diagonal_m;
  const shape = isLarge
    ? new THREE.LineSegments(RINGS.clone(), stroke(colour, 0.6))
    : new THREE.Mesh(BALL.clone(), fill(colour, 0.28));
  shape.matrixAutoUpdate = false;
  shape.matrix = ellipsoid(source);
  return shape;
}

/** All small regions as one mesh, coloured one by one. */
export function regions(sources: Source[], colours: THREE.Color[]): THREE.InstancedMesh {
  const mesh = new THREE.InstancedMesh(new THREE.SphereGeometry(1, 12, 8), fill("white", 0.12), sources.length);
  sources.forEach((source, k) => {
    mesh.setMatrixAt(k, ellipsoid(source));
    mesh.setColorAt(k, colours[k]);
  });
  return mesh;
}

const RIM = 32;

/** A ray to where the sound comes from, and the cone that holds it with 90 %, as long as the box. */
export function cone(direction: Direction, length_m: number, colour: string): THREE.Object3D[] {
  const [azimuth, elevation] = [direction.azimuth_deg, direction.elevation_deg].map(THREE.MathUtils.degToRad);
  const level = Math.cos(elevation);
  const unit = new THREE.Vector3(level * Math.cos(azimuth), level * Math.sin(azimuth), Math.sin(elevation));
  const from = new THREE.Vector3(...direction.from_m);
  const end = from.clone().addScaledVector(unit, length_m);
  const across = new THREE.Vector3(-Math.sin(azimuth), Math.cos(azimuth), 0);
  const beside = new THREE.Vector3().crossVectors(unit, across);
  const opening = THREE.MathUtils.degToRad(Math.min(direction.cone90_deg, 85));
  const rim = Array.from({ length: RIM + 1 }, (_, k) => {
    const turn = (2 * Math.PI * k) / RIM;
    const aside = across.clone().multiplyScalar(Math.cos(turn)).addScaledVector(beside, Math.sin(turn));
    const way = unit.clone().multiplyScalar(Math.cos(opening)).addScaledVector(aside, Math.sin(opening));
    return from.clone().addScaledVector(way, length_m);
  });
  return [
    new THREE.Line(new THREE.BufferGeometry().setFromPoints([from, end]), stroke(colour)),
    new THREE.Line(new THREE.BufferGeometry().setFromPoints(rim), stroke(colour)),
  ];
}
