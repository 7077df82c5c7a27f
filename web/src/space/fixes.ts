/** Where the sounds were: a dot an answer, coloured by time, and the way of each who sounded. */

import * as THREE from "three";
import { type Estimate, middleOf, type Point, type Source, windowAt } from "../model/answer";
import { viridis } from "../model/colours";
import { spots, strokes } from "./paints";
import { LARGE_SHARE, regions } from "./regions";

export interface Fix {
  source: Source;
  time_s: number;
  isCandidate: boolean;
}

export function fixesOf(estimates: Estimate[]): Fix[] {
  return estimates.flatMap((estimate) =>
    estimate.direction
      ? []
      : estimate.sources.map((source) => ({ source, time_s: middleOf(estimate), isCandidate: estimate.verdict === "ambiguous" })),
  );
}

export function timeColour(time_s: number, duration_s: number): THREE.Color {
  const [r, g, b] = viridis(duration_s ? time_s / duration_s : 0.5);
  return new THREE.Color().setRGB(r / 255, g / 255, b / 255, THREE.SRGBColorSpace);
}

const MOST_REGIONS = 250; // more make the page slow; the others are left out, evenly

/** A dot each, smaller where it is one of several places; the small regions too, where they are wanted. */
export function dots(fixes: Fix[], duration_s: number, diagonal_m: number, withRegions: boolean): THREE.Object3D[] {
  if (!fixes.length) return [];
  const parts = [true, false].flatMap((isCandidate) => {
    const which = fixes.filter((fix) => fix.isCandidate === isCandidate);
    return which.length ? [points(which, duration_s, dotSize(fixes.length, diagonal_m) * (isCandidate ? 2.5 : 4.5))] : [];
  });
  if (!withRegions) return parts;
  const every = Math.ceil(fixes.length / MOST_REGIONS);
  const small = fixes.filter(({ source }, k) => k % every === 0 && source.radius90_m <= LARGE_SHARE * diagonal_m);
  return small.length ? [...parts, regions(small.map((f) => f.source), small.map((f) => timeColour(f.time_s, duration_s)))] : parts;
}

function points(fixes: Fix[], duration_s: number, size: number): THREE.Points {
  const geometry = new THREE.BufferGeometry().setFromPoints(fixes.map(({ source }) => new THREE.Vector3(...source.position_m)));
  const colours = fixes.flatMap(({ time_s }) => timeColour(time_s, duration_s).toArray());
  geometry.setAttribute("color", new THREE.Float32BufferAttribute(colours, 3));
  return new THREE.Points(geometry, spots(size));
}

export const dotSize = (count: number, diagonal_m: number): number => diagonal_m * (count > 200 ? 0.004 : 0.006);

const LONGEST_GAP_S = 2.0;

/** A line along the places of each track; without tracks, along those of the only source, where it is sure. */
export function ways(estimates: Estimate[], duration_s: number): THREE.Line[] {
  const byTrack = new Map<number, { time_s: number; at: Point }[]>();
  for (const estimate of estimates) {
    if (estimate.verdict === "ambiguous" || estimate.direction) continue;
    const hasTracks = estimate.sources.some((source) => source.track != null);
    const who = hasTracks ? estimate.sources.filter((source) => source.track != null) : estimate.sources.slice(0, 1);
    for (const source of who) {
      const way = byTrack.get(source.track ?? 0) ?? [];
      way.push({ time_s: middleOf(estimate), at: source.position_m });
      byTrack.set(source.track ?? 0, way);
    }
  }
  return [...byTrack.values()].flatMap((way) => unbroken(way).map((part) => line(part, duration_s)));
}

/** Where the only sure source is at this time, between the windows before and after; null where it is not sure, or silent. */
export function placeAt(estimates: Estimate[], time_s: number): Point | null {
  const nearest = windowAt(estimates, time_s);
  if (nearest < 0) return null;
  const first = middleOf(estimates[nearest]) <= time_s ? nearest : nearest - 1;
  const [before, after] = [estimates[first], estimates[first + 1]];
  if (!isSure(before) || !isSure(after)) return null;
  const gap_s = middleOf(after) - middleOf(before);
  if (gap_s <= 0 || gap_s > LONGEST_GAP_S) return null;
  const share = (time_s - middleOf(before)) / gap_s;
  const [from, to] = [before.sources[0].position_m, after.sources[0].position_m];
  return from.map((x, k) => x + share * (to[k] - x)) as Point;
}

const isSure = (estimate: Estimate | undefined): estimate is Estimate =>
  estimate?.sources.length === 1 && !estimate.direction && estimate.verdict !== "ambiguous";

/** Parts without a gap in time. */
function unbroken<T extends { time_s: number }>(way: T[]): T[][] {
  const parts: T[][] = [];
  way.forEach((each, k) => {
    if (!k || each.time_s - way[k - 1].time_s > LONGEST_GAP_S) parts.push([]);
    parts.at(-1)!.push(each);
  });
  return parts.filter((part) => part.length > 1);
}

function line(way: { time_s: number; at: Point }[], duration_s: number): THREE.Line {
  const geometry = new THREE.BufferGeometry().setFromPoints(way.map(({ at }) => new THREE.Vector3(...at)));
  const colours = way.flatMap(({ time_s }) => timeColour(time_s, duration_s).toArray());
  geometry.setAttribute("color", new THREE.Float32BufferAttribute(colours, 3));
  return new THREE.Line(geometry, strokes(0.5));
}
