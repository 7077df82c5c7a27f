import { expect, test } from "vitest";
import type { Estimate, Point } from "../src/model/answer";
import { alignedPart, beam, travelTimes } from "../src/model/aligned";
import { added } from "../src/model/planning";

const RATE = 1000;
const SPEED = 100; // 10 samples a metre
const source: Point = [0, 0, 0];
const microphones = [added("near", [1, 0, 0]), added("far", [3, 0, 0])].map((each, row) => ({ ...each, row }));

function heard(delay: number): Float32Array {
  return Float32Array.from({ length: 1000 }, (_, n) => (n === 500 + delay ? 1 : 0));
}

test("how much later each hears it", () => {
  const [near, far] = travelTimes(source, microphones, SPEED);
  expect(near).toBe(0);
  expect(far).toBeCloseTo(0.02);
  expect(travelTimes(source, [microphones[1], { ...microphones[0], isKnown: false }], SPEED)).toEqual([0, NaN]);
});

test("a channel moved to the source", () => {
  expect(alignedPart(heard(20), RATE, 0.49, 0.51, 0.02)[10]).toBe(1);
  expect([...alignedPart(heard(20), RATE, -0.002, 0.001, 0)]).toEqual([0, 0, 0]);
});

test("the beam adds what came from the source, and nothing else", () => {
  const estimate = {
    start_s: 0, end_s: 1, verdict: "ok", reasons: [], notes: [],
    sources: [{ position_m: source, covariance_m2: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], radius90_m: 1, score: 1 }],
    microphones: microphones.map(({ name }) => ({ name, status: "ok", weight: 1, position_m: null, pull_m: null })),
  } as Estimate;
  const take = { name: "x", rate: RATE, rows: [heard(0), heard(20)] };
  const sum = beam(take, [estimate], microphones, SPEED);
  expect(sum[500]).toBeCloseTo(1);
  expect(Math.max(...sum.filter((_, n) => n !== 500))).toBe(0);
  const [near, far] = estimate.microphones;
  const alone = beam(take, [{ ...estimate, microphones: [near, { ...far, weight: 0 }] }], microphones, 2 * SPEED);
  expect(Math.max(...alone.filter((_, n) => n !== 500))).toBe(0); // who is left out is not heard
  const moved = beam(take, [{ ...estimate, sources: [{ ...estimate.sources[0], position_m: [4, 0, 0] }] }], microphones, SPEED);
  expect(Math.max(...moved)).toBeCloseTo(0.5);
});
