/** Channels moved to the source that was found: what came from there is at the same time in all of them. */

import { type Estimate, type Point } from "./answer";
import type { Microphone } from "./state";
import type { Take } from "./take";

/** How many seconds later than the nearest microphone each hears a sound from there; NaN where its place is unknown. */
export function travelTimes(source: Point, microphones: Microphone[], speed_m_s: number): number[] {
  const times = microphones.map(({ position, isKnown }) =>
    isKnown && position ? Math.hypot(...position.map((x, k) => x - source[k])) / speed_m_s : NaN,
  );
  const least = Math.min(...times.filter((t) => !Number.isNaN(t)));
  return times.map((t) => t - least);
}

/** The part of a channel that left the source between these times (s), as it would be heard where the nearest microphone is. */
export function alignedPart(channel: Float32Array, rate: number, start_s: number, end_s: number, late_s: number): Float32Array {
  const first = Math.round((start_s + late_s) * rate);
  const count = Math.round((end_s - start_s) * rate);
  const part = new Float32Array(count);
  const from = Math.max(0, -first);
  const until = Math.min(count, channel.length - first);
  if (until > from) part.set(channel.subarray(first + from, first + until), from);
  return part;
}

/**
 * All channels that are used, each moved to the source of every window, and their mean: a delay-and-sum beam that follows it.
 * Windows are faded into each other; where there is no source, the channels are averaged as they are.
 */
export function beam(take: Take, estimates: Estimate[], microphones: Microphone[], speed_m_s: number): Float32Array {
  const length = take.rows[0].length;
  const [sum, weight] = [new Float32Array(length), new Float32Array(length)];
  for (const estimate of estimates) {
    const used = microphones.filter((each) => each.isOn && isUsed(estimate, each.name));
    if (!used.length) continue;
    const source = estimate.sources[0]?.position_m;
    const late = source ? travelTimes(source, used, speed_m_s) : used.map(() => 0);
    add(take, estimate, used, late, sum, weight);
  }
  for (let n = 0; n < length; n++) sum[n] /= Math.max(weight[n], 1e-6);
  return sum;
}

const isUsed = (estimate: Estimate, name: string): boolean =>
  (estimate.microphones.find((each) => each.name === name)?.weight ?? 0) > 0;

function add(
  take: Take, estimate: Estimate, used: Microphone[], late: number[], sum: Float32Array, weight: Float32Array,
): void {
  const fade = 0.25 * (estimate.end_s - estimate.start_s);
  const [start_s, end_s] = [Math.max(0, estimate.start_s - fade / 2), estimate.end_s + fade / 2];
  const first = Math.round(start_s * take.rate);
  const parts = used.map((each, k) => alignedPart(take.rows[each.row], take.rate, start_s, end_s, late[k] || 0));
  const count = Math.min(parts[0].length, sum.length - first);
  const rise = Math.max(1, fade * take.rate);
  for (let n = 0; n < count; n++) {
    const share = Math.min(1, (n + 0.5) / rise, (count - n - 0.5) / rise);
    let mean = 0;
    for (const part of parts) mean += part[n];
    sum[first + n] += (share * mean) / parts.length;
    weight[first + n] += share;
  }
}
