/** The lanes of the timeline, drawn: seconds, verdicts, coordinates, and of every microphone its sound and its health. */

import { type Estimate, type MicrophoneEvent, middleOf, USED } from "../model/answer";
import { colour, STATUS, VERDICT } from "../model/colours";
import type { Envelopes } from "../model/take";
import { spacingOf } from "../space/room";

export interface Shown {
  estimates: Estimate[];
  waves: Envelopes | null;
  names: string[];
  /** Of each microphone, in the waves. */
  rows: number[];
  events: MicrophoneEvent[];
  from_s: number;
  to_s: number;
}

export const GUTTER = 64;
const RULER = 20;
const VERDICTS = 12;
const STRIP = 18;
const PLACES = 3 * STRIP;
const GAP = 6;
const LEGIBLE = 12;

export function rowHeight(count: number): number {
  return Math.max(3, Math.min(18, Math.floor(170 / Math.max(count, 1))));
}

export const heightOf = (count: number): number => RULER + VERDICTS + PLACES + 3 * GAP + count * rowHeight(count) + GAP;

type Pen = CanvasRenderingContext2D;

export function drawLanes(pen: Pen, width: number, shown: Shown): void {
  const at = (time_s: number) => GUTTER + ((time_s - shown.from_s) / Math.max(shown.to_s - shown.from_s, 1e-9)) * (width - GUTTER);
  pen.clearRect(0, 0, width, heightOf(shown.names.length));
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  ruler(pen, width, shown, at);
  pen.save();
  clip(pen, width, heightOf(shown.names.length));
  verdicts(pen, shown, at, RULER);
  places(pen, shown, at, RULER + VERDICTS + GAP);
  rows(pen, width, shown, at, RULER + VERDICTS + PLACES + 2 * GAP);
  pen.restore();
  titles(pen, shown);
  flags(pen, shown, at);
}

function clip(pen: Pen, width: number, height: number): void {
  pen.beginPath();
  pen.rect(GUTTER, 0, width - GUTTER, height);
  pen.clip();
}

function ruler(pen: Pen, width: number, { from_s, to_s }: Shown, at: (t: number) => number): void {
  const step = spacingOf((to_s - from_s) * Math.min(1, 700 / width));
  pen.fillStyle = colour("--quiet");
  for (let t = Math.ceil(from_s / step) * step; t <= to_s + 1e-9; t += step) {
    const text = t >= 60 ? `${Math.floor(t / 60)}:${(t % 60).toFixed(step < 1 ? 1 : 0).padStart(2, "0")}` : `${t.toFixed(step < 1 ? 1 : 0)} s`;
    const x = at(t);
    pen.fillRect(x, RULER - 5, 1, 4);
    const wide = pen.measureText(text).width;
    if (x + wide / 2 < width) pen.fillText(text, Math.max(x - wide / 2, GUTTER), 8);
  }
}

/** Taller where more is known, so that colour is not all that tells them apart. */
const HEIGHTS: Record<string, number> = { ok: 1, degraded: 0.8, ambiguous: 0.6, "direction only": 0.5, abstain: 0.2 };

function verdicts(pen: Pen, { estimates }: Shown, at: (t: number) => number, top: number): void {
  estimates.forEach(({ start_s, verdict }, k) => {
    const high = VERDICTS * HEIGHTS[verdict];
    pen.fillStyle = colour(VERDICT[verdict]);
    pen.fillRect(at(start_s), top + VERDICTS - high, Math.max(1, at(untilNext(estimates, k)) - at(start_s) - 0.5), high);
  });
}

/** The end of a window, or, where they overlap, the beginning of the next. */
const untilNext = (estimates: Estimate[], k: number): number => Math.min(estimates[k].end_s, estimates[k + 1]?.start_s ?? Infinity);

const AXES = ["--x", "--y", "--z"];

/** Each coordinate on a scale of its own, with its 90 % intervals, as far as the places reach that are known as well as most. */
function places(pen: Pen, { estimates }: Shown, at: (t: number) => number, top: number): void {
  const sure = estimates.filter((each) => each.sources.length && !each.direction);
  const radii = sure.flatMap((each) => each.sources.map((source) => source.radius90_m)).sort((a, b) => a - b);
  const largest = 3 * (radii[radii.length >> 1] ?? 0);
  AXES.forEach((name, k) => {
    const values = sure.flatMap((each) => each.sources.flatMap((source) => (source.radius90_m <= largest ? source.position_m[k] : [])));
    pen.fillStyle = colour(name);
    strip(pen, sure, k, scaleOf(values, top + k * STRIP), at);
  });
}

/** From metres to pixels: all values, and 10 cm beside them. */
function scaleOf(values: number[], top: number): (x: number) => number {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity) - 0.1;
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity) + 0.1;
  return (x) => top + STRIP - 2 - ((Math.min(Math.max(x, low), high) - low) / (high - low)) * (STRIP - 3);
}

function strip(pen: Pen, sure: Estimate[], k: number, up: (x: number) => number, at: (t: number) => number): void {
  for (const estimate of sure) {
    const x = at(middleOf(estimate));
    for (const source of estimate.sources) {
      const [middle, wide] = [source.position_m[k], 1.645 * Math.sqrt(source.covariance_m2[k][k])];
      pen.globalAlpha = 0.3;
      pen.fillRect(x - 0.75, up(middle + wide), 1.5, Math.max(1, up(middle - wide) - up(middle + wide)));
      pen.globalAlpha = estimate.verdict === "ambiguous" ? 0.45 : 1;
      pen.fillRect(x - 1.5, up(middle) - 1.5, 3, 3);
      pen.globalAlpha = 1;
    }
  }
}

function rows(pen: Pen, width: number, shown: Shown, at: (t: number) => number, top: number): void {
  const high = rowHeight(shown.names.length);
  shown.names.forEach((_, m) => {
    health(pen, shown, at, m, top + m * high, high);
    if (shown.waves) wave(pen, width, shown, shown.waves, shown.rows[m], top + m * high, high);
  });
}

/** A tinted ground where a microphone is not ok. */
function health(pen: Pen, { estimates, names }: Shown, at: (t: number) => number, m: number, top: number, high: number): void {
  estimates.forEach((estimate, k) => {
    const { [m]: usual } = estimate.microphones; // almost always in the order of the list
    const report = usual?.name === names[m] ? usual : estimate.microphones.find((each) => each.name === names[m]);
    const status = report?.status ?? "ok";
    if (status === "ok") return;
    pen.globalAlpha = USED.has(status) ? 0.25 : 0.4;
    pen.fillStyle = colour(STATUS[status] ?? "--red");
    const left = at(estimate.start_s);
    pen.fillRect(left, top + 0.5, Math.max(1, at(untilNext(estimates, k)) - left), high - 1);
    pen.globalAlpha = 1;
  });
}

function wave(pen: Pen, width: number, { from_s, to_s }: Shown, waves: Envelopes, which: number, top: number, high: number): void {
  const row = waves.rows[which];
  if (!row) return;
  pen.fillStyle = colour("--ink");
  pen.globalAlpha = 0.75;
  const pixels = width - GUTTER;
  for (let x = 0; x < pixels; x++) {
    const first = Math.floor(((from_s + (x / pixels) * (to_s - from_s)) / waves.duration_s) * waves.count);
    const last = Math.max(first + 1, Math.floor(((from_s + ((x + 1) / pixels) * (to_s - from_s)) / waves.duration_s) * waves.count));
    let peak = 0;
    for (let n = first; n < Math.min(last, waves.count); n++) peak = Math.max(peak, row[n]);
    const size = Math.sqrt(peak / 255) * (high - 2);
    if (size > 0.3) pen.fillRect(GUTTER + x, top + (high - size) / 2, 1, size);
  }
  pen.globalAlpha = 1;
}

function titles(pen: Pen, { names }: Shown): void {
  pen.fillStyle = colour("--quiet");
  pen.fillText("verdict", 4, RULER + VERDICTS / 2 + 1);
  const top = RULER + VERDICTS + GAP;
  AXES.forEach((axis, k) => {
    pen.fillStyle = colour(axis);
    pen.fillText(`${"xyz"[k]} (m)`, 4, top + STRIP * (k + 0.5));
  });
  pen.fillStyle = colour("--quiet");
  const high = rowHeight(names.length);
  const first = top + PLACES + GAP;
  if (high < LEGIBLE) pen.fillText(`${names.length} mics`, 4, first + 8);
  else names.forEach((name, m) => pen.fillText(shortened(pen, name), 4, first + (m + 0.5) * high));
}

export function shortened(pen: Pen, text: string): string {
  let shown = text;
  while (shown.length > 2 && pen.measureText(shown).width > GUTTER - 10) shown = `${shown.slice(0, -2)}…`;
  return shown;
}

/** Where something happened to a microphone. */
function flags(pen: Pen, { events, from_s, to_s }: Shown, at: (t: number) => number): void {
  pen.fillStyle = colour("--red");
  for (const { time_s } of events) {
    if (time_s < from_s || time_s > to_s) continue;
    const x = at(time_s);
    pen.beginPath();
    pen.moveTo(x, RULER - 6);
    pen.lineTo(x + 6, RULER - 3);
    pen.lineTo(x, RULER);
    pen.fill();
  }
}
