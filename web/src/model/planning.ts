/** An array that is to be: its microphones, what the service predicts of it, and the map of errors that is looked at. */

import { computed, effect, signal } from "@preact/signals";
import type { Painted } from "../space/plane";
import { type Options, type Plan, planOf } from "../service";
import type { Point } from "./answer";
import { newestOnly } from "./newest";
import * as state from "./state";

export const plan = signal<Plan | null>(null);
export const lost = signal("");
export const timing_cm = signal(1);
export const height = signal(0);
export const roomSides = signal<Point>([6, 5, 3]);
const roomText = computed(() => [0, 0, 0, ...roomSides.value].join());

const BEST_M = 0.003;
const WORST_M = 3;

/** Of 0..1, bright where errors are small: three powers of ten from 3 mm to 3 m. */
export const shareOf = (error_m: number): number =>
  Math.min(1, Math.max(0, 1 - Math.log(error_m / BEST_M) / Math.log(WORST_M / BEST_M)));

export interface ErrorMap {
  painted: Painted;
  box: [Point, Point];
  axis: 0 | 1 | 2;
  at_m: number;
}

export const errorMap = computed<ErrorMap | null>(() => {
  const found = plan.value;
  const chosen = found?.predicted_error.slices[height.value] ?? found?.predicted_error.slices[0];
  if (!found || !chosen) return null;
  const painted = {
    columns: chosen.across_m.length,
    rows: chosen.up_m.length,
    values: chosen.error_m.flat(),
    share: shareOf,
    opacity: () => 0.75,
  };
  return { painted, box: found.box_m, axis: chosen.normal === "z" ? 2 : 1, at_m: chosen.at_m };
});

/** Eight round the walls, at two heights, for whoever has no list yet. */
export function usualArray([x, y, z]: Point): state.Microphone[] {
  const turns = Array.from({ length: 8 }, (_, k) => (2 * Math.PI * (k + 0.5)) / 8);
  return turns.map((turn, k) => {
    const along = (side: number, share: number) => round(side / 2 + Math.max(-0.45, Math.min(0.45, 0.62 * share)) * side);
    const at: Point = [along(x, Math.cos(turn)), along(y, Math.sin(turn)), round(z * (k % 2 ? 0.8 : 0.35))];
    return added(`m${k + 1}`, at);
  });
}

export const added = (name: string, at: Point): state.Microphone => ({
  name, row: -1, listed: at, position: at, isKnown: true, isOn: true, wasOn: true, columns: state.NO_COLUMNS,
});

const round = (x: number): number => Math.round(100 * x) / 100;

const ask = newestOnly(async ({ list, options }: { list: string; options: Options }) => {
  try {
    plan.value = await planOf(list, options);
    state.problem.value = "";
  } catch (error) {
    plan.value = null;
    throw error;
  }
});

/** Predict again whenever something is moved. */
export function keepPlanning(): void {
  effect(() => {
    if (state.mode.value !== "plan" || !state.microphones.value.length) return;
    const there = state.microphones.value.filter((each) => each.isOn && each.isKnown && each.name !== lost.value);
    ask({ list: state.listText(there), options: { room: roomText.value, timing_sigma_m: String(timing_cm.value / 100) } });
  });
  effect(() => {
    if (state.mode.value === "plan") state.options.value = { room: roomText.value };
  });
}
