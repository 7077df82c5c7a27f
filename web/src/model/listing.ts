/** A list of microphones, read here: live sound has no service yet that would have read it. CSV alone; others say why not. */

import type { Point } from "./answer";
import { type Microphone, microphonesOf } from "./state";

const COLUMNS = ["sigma_m", "offset_s", "drift_ppm", "clock_sigma_s"] as const;

/** Its microphones in order, and the channel (from 0) of each: that of its column, or of its row. */
export function listedIn(text: string): { microphones: Microphone[]; channels: number[] } {
  const [head, ...rows] = text.replace(/^\uFEFF/, "").trim().split(/\r?\n/).map((line) => line.split(",").map((cell) => cell.trim()));
  const at = (name: string) => head.findIndex((each) => each.toLowerCase() === name);
  if (["name", "x", "y", "z"].some((name) => at(name) < 0)) throw new Error(`the list begins with ${head.join(",")}, wanted name,x,y,z`);
  const number = (row: string[], name: string) => Number(row[at(name)] || 0) || 0;
  const microphones = microphonesOf(
    rows.map((row) => {
      const place = ["x", "y", "z"].map((axis) => (row[at(axis)] ? Number(row[at(axis)]) : NaN)) as Point;
      const [sigma_m, offset_s, drift_ppm, clock_sigma_s] = COLUMNS.map((name) => number(row, name));
      const position_m = place.every(Number.isFinite) ? place : null;
      return { name: row[at("name")], channel: null, position_m, sigma_m, offset_s, drift_ppm, clock_sigma_s };
    }),
  );
  return { microphones, channels: rows.map((row, k) => (number(row, "channel") || k + 1) - 1) };
}
