/** log p(x) ~ mean over pairs ij of l_ij(d_i(x) - d_j(x)), from the curves that the service, or the file, has of a window. */

import type { Point } from "./answer";

export interface Curves {
  positions_m: Point[];
  pairs: [number, number][];
  lags: number;
  step_m: number;
  unit: number;
  values: string;
}

export interface Likelihood {
  at: (x: number, y: number, z: number) => number;
}

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

export function likelihoodOf(curves: Curves): Likelihood {
  const values = new Int8Array(bytesOf(curves.values).buffer);
  const { positions_m, pairs, lags, step_m } = curves;
  const ranges = new Float64Array(positions_m.length);
  const middle = (lags - 1) / 2;
  const at = (x: number, y: number, z: number): number => {
    for (let m = 0; m < ranges.length; m++) {
      const [mx, my, mz] = positions_m[m];
      ranges[m] = Math.sqrt((x - mx) ** 2 + (y - my) ** 2 + (z - mz) ** 2);
    }
    let total = 0;
    for (let p = 0; p < pairs.length; p++) {
      const lag = Math.round((ranges[pairs[p][0]] - ranges[pairs[p][1]]) / step_m + middle);
      total += values[p * lags + Math.min(Math.max(lag, 0), lags - 1)];
    }
    return (total * curves.unit) / pairs.length;
  };
  return { at };
}

export type Axis = 0 | 1 | 2;

export interface Grid {
  columns: number;
  rows: number;
  values: Float32Array;
  low: number;
  high: number;
}

/** Its values over the plane through the box where this coordinate is `at_m`; rows along the later of the two other axes. */
export function sliceOf(likelihood: Likelihood, box: [Point, Point], axis: Axis, at_m: number, cells = 96): Grid {
  const [across, up] = ([0, 1, 2] as Axis[]).filter((each) => each !== axis);
  const sides = [box[1][across] - box[0][across], box[1][up] - box[0][up]];
  const cell = Math.max(...sides) / cells;
  const columns = Math.max(2, Math.round(sides[0] / cell));
  const rows = Math.max(2, Math.round(sides[1] / cell));
  const values = new Float32Array(columns * rows);
  const point: Point = [0, 0, 0];
  point[axis] = at_m;
  for (let row = 0; row < rows; row++) {
    point[up] = box[0][up] + ((row + 0.5) / rows) * sides[1];
    for (let column = 0; column < columns; column++) {
      point[across] = box[0][across] + ((column + 0.5) / columns) * sides[0];
      values[row * columns + column] = likelihood.at(...point);
    }
  }
  return { columns, rows, values, low: Math.min(...values), high: Math.max(...values) };
}
