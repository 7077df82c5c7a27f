import * as THREE from "three";
import { expect, test } from "vitest";
import type { Point, Source } from "../src/model/answer";
import { fixesOf, placeAt, ways } from "../src/space/fixes";
import { estimatesFrom, moved, originOf } from "../src/space/origin";
import { cholesky, ellipsoid } from "../src/space/regions";
import { spacingOf } from "../src/space/room";

const covariance: [Point, Point, Point] = [[0.04, 0.01, 0], [0.01, 0.09, -0.02], [0, -0.02, 0.25]];
const source = (x: number): Source => ({ position_m: [x, 2, 3], covariance_m2: covariance, radius90_m: 1, score: 1 });

test("a region holds nine in ten of a Gaussian", () => {
  const l = cholesky(covariance);
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) expect(l[i].reduce((sum, x, k) => sum + x * l[j][k], 0)).toBeCloseTo(covariance[i][j]);
  const rim = new THREE.Vector3(0, 0, 1).applyMatrix4(ellipsoid(source(1)));
  expect(rim.x).toBeCloseTo(1);
  expect(rim.z).toBeCloseTo(3 + 2.5003 * l[2][2]);
  expect(cholesky([[0, 0, 0], [0, 0, 0], [0, 0, 0]])[0][0]).toBeCloseTo(1e-3);
});

test("far from zero a round number is where drawing begins", () => {
  const box: [Point, Point] = [[371_000.5, -20_500, 0], [371_040, -20_100, 9]];
  expect(originOf(box)).toEqual([371_000, -21_000, 0]);
  expect(originOf([[0, -5, 0], [9000, 5, 2]])).toEqual([0, 0, 0]);
  expect(moved([371_001, 5, 0], [371_000, 0, 0])).toEqual([1, 5, 0]);
  const direction = { azimuth_deg: 0, elevation_deg: 0, cone90_deg: 5, from_m: [1000, 0, 0] as Point, range_m: null, mirror: null };
  const estimate = { start_s: 0, end_s: 1, verdict: "ok" as const, reasons: [], notes: [], sources: [source(1001)], microphones: [], direction: { ...direction, mirror: direction } };
  const [near] = estimatesFrom([1000, 0, 0], [estimate]);
  expect([near.sources[0].position_m[0], near.direction!.from_m[0], near.direction!.mirror!.from_m[0]]).toEqual([1, 0, 0]);
});

test("lines of the floor", () => {
  expect([1, 6, 12, 37, 800].map(spacingOf)).toEqual([0.1, 1, 2, 5, 100]);
});

test("ways follow tracks, and end where nothing is heard", () => {
  const at = (start_s: number, ...sources: Source[]) => ({ start_s, end_s: start_s + 1, verdict: "ok" as const, reasons: [], notes: [], sources, microphones: [] });
  expect(ways([at(0, source(0)), at(1, source(1)), at(5, source(2)), at(6, source(3))], 7).length).toBe(2);
  const [a, b] = [1, 2].map((track) => ({ ...source(track), track }));
  expect(ways([at(0, a, b), at(1, b, a), at(2, a)], 3).length).toBe(2);
  expect(ways([{ ...at(0, source(0)), verdict: "ambiguous" }, at(1, source(1))], 2).length).toBe(0);
  expect(fixesOf([{ ...at(0, source(0), source(1)), verdict: "ambiguous" }]).map((fix) => fix.isCandidate)).toEqual([true, true]);
});

test("between two windows it is between their places", () => {
  const at = (start_s: number, ...sources: Source[]) => ({ start_s, end_s: start_s + 1, verdict: "ok" as const, reasons: [], notes: [], sources, microphones: [] });
  const walk = [at(0, source(0)), at(1, source(4)), at(2), at(9, source(5)), at(10, source(5), source(6))];
  expect(placeAt(walk, 0.75)).toEqual([1, 2, 3]);
  expect(placeAt(walk, 1.25)).toEqual([3, 2, 3]);
  expect([0.25, 1.75, 5, 9.75, 99].map((t) => placeAt(walk, t))).toEqual([null, null, null, null, null]);
  expect(placeAt([], 1)).toBe(null);
});
