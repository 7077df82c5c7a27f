/** Graphics have 24 bits: coordinates far from zero, as UTM has them, are drawn from a round number near them. */

import type { Direction, Estimate, Point } from "../model/answer";

const FAR_M = 10_000; // from zero 24 bits tell millimetres as far as this
const ROUND_M = 1000;

export function originOf([low, high]: [Point, Point]): Point {
  return low.map((l, k) => (Math.max(Math.abs(l), Math.abs(high[k])) > FAR_M ? ROUND_M * Math.floor(l / ROUND_M) : 0)) as Point;
}

export const moved = (point: Point, origin: Point, sign = -1): Point => point.map((x, k) => x + sign * origin[k]) as Point;

/** The same answers, as seen from there. */
export function estimatesFrom(origin: Point, estimates: Estimate[]): Estimate[] {
  if (origin.every((x) => x === 0)) return estimates;
  return estimates.map((each) => ({
    ...each,
    sources: each.sources.map((source) => ({ ...source, position_m: moved(source.position_m, origin) })),
    direction: each.direction && directionFrom(origin, each.direction),
  }));
}

function directionFrom(origin: Point, direction: Direction): Direction {
  const mirror = direction.mirror && directionFrom(origin, direction.mirror);
  return { ...direction, from_m: moved(direction.from_m, origin), mirror };
}
