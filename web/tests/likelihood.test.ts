import { expect, test } from "vitest";
import { type Curves, likelihoodOf, sliceOf } from "../src/model/likelihood";

/** One pair on the x axis, whose curve has a single peak at a range difference of `peak` lags. */
const curves = (peak: number): Curves => {
  const values = new Int8Array(41);
  values[20 + peak] = 100;
  return { positions_m: [[0, 0, 0], [2, 0, 0]], pairs: [[0, 1]], lags: 41, step_m: 0.1, unit: 0.02, values: btoa(String.fromCharCode(...new Uint8Array(values.buffer))) };
};

test("a place has the value at its range difference", () => {
  const { at } = likelihoodOf(curves(5));
  expect(at(1.25, 0, 0)).toBeCloseTo(2); // 1.25 - 0.75 = 0.5 m: five lags
  expect(at(0.75, 0, 0)).toBe(0);
  expect(at(1, 3, 1)).toBe(0);
  expect(likelihoodOf(curves(0)).at(1, 3, 1)).toBeCloseTo(2);
});

test("it is the mean of all pairs", () => {
  const one = curves(5);
  const both = btoa(atob(one.values) + String.fromCharCode(...new Uint8Array(41)));
  expect(likelihoodOf({ ...one, pairs: [[0, 1], [1, 0]], values: both }).at(1.25, 0, 0)).toBeCloseTo(1);
});

test("beyond the last lag the last one counts", () => {
  expect(likelihoodOf(curves(20)).at(90, 0, 0)).toBeCloseTo(2);
});

test("a slice is brightest where the place is", () => {
  const grid = sliceOf(likelihoodOf(curves(5)), [[0, 0, 0], [2, 1, 1]], 2, 0, 40);
  expect([grid.columns, grid.rows]).toEqual([40, 20]);
  expect(grid.values[25] === grid.high || grid.values[24] === grid.high).toBe(true); // x = 1.25 m, the row nearest the axis
  expect(grid.low).toBe(0);
});
