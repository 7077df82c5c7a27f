/** The room: its edges, a grid of metres on the floor, and how long its sides are. */

import * as THREE from "three";
import type { Point } from "../model/answer";
import { colour } from "../model/colours";
import { label, lines } from "./stage";

export function room([low, high]: [Point, Point]): THREE.Object3D[] {
  return [edges(low, high), floor(low, high), ...sides(low, high)];
}

function edges(low: Point, high: Point): THREE.LineSegments {
  const corner = (c: number): Point => [c & 1 ? high[0] : low[0], c & 2 ? high[1] : low[1], c & 4 ? high[2] : low[2]];
  const points: Point[] = [];
  for (let c = 0; c < 8; c++) for (const bit of [1, 2, 4]) if (!(c & bit)) points.push(corner(c), corner(c | bit));
  return lines(points, colour("--edge"));
}

/** Between lines of the floor: 1, 2 or 5 times a power of ten metres, about ten of them. */
export function spacingOf(length_m: number): number {
  const rough = length_m / 10;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((step) => step * power >= rough) ?? 10);
}

function floor(low: Point, high: Point): THREE.LineSegments {
  const step = Math.max(1, spacingOf(Math.max(high[0] - low[0], high[1] - low[1])));
  const points: Point[] = [];
  for (let x = Math.ceil(low[0] / step) * step; x <= high[0]; x += step) points.push([x, low[1], low[2]], [x, high[1], low[2]]);
  for (let y = Math.ceil(low[1] / step) * step; y <= high[1]; y += step) points.push([low[0], y, low[2]], [high[0], y, low[2]]);
  return lines(points, colour("--edge"), 0.35);
}

function sides(low: Point, high: Point): THREE.Sprite[] {
  const ink = colour("--quiet");
  const said = (axis: string, k: 0 | 1 | 2) => `${axis} ${(high[k] - low[k]).toFixed(1)} m`;
  return [
    label(said("x", 0), ink, [(low[0] + high[0]) / 2, low[1], low[2]], -4),
    label(said("y", 1), ink, [low[0], (low[1] + high[1]) / 2, low[2]], -4),
    label(said("z", 2), ink, [low[0], low[1], (low[2] + high[2]) / 2], -4),
  ];
}
