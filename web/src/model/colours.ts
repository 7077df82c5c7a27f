/** What a colour means: status of a microphone, verdict of a window, time, likelihood. Told by shape or word as well. */

export const STATUS: Record<string, string> = {
  ok: "--ink",
  clipped: "--amber",
  inverted: "--amber",
  dead: "--faint",
  noisy: "--red",
  late: "--red",
  misplaced: "--red",
  excluded: "--red",
  duplicate: "--red",
  "unknown-position": "--blue",
  off: "--faint",
};

export const VERDICT: Record<string, string> = {
  ok: "--teal",
  degraded: "--amber",
  ambiguous: "--violet",
  "direction only": "--blue",
  abstain: "--faint",
};

const looked = new Map<string, string>();

/** The value of a colour of the style sheet, in the theme of now. */
export function colour(name: string): string {
  const key = `${document.documentElement.dataset.theme}${name}`;
  if (!looked.has(key)) looked.set(key, getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888");
  return looked.get(key)!;
}

const VIRIDIS: [number, number, number][] = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37],
];

/** viridis at 0..1, as bytes. */
export function viridis(share: number): [number, number, number] {
  const at = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const below = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const part = at - below;
  return VIRIDIS[below].map((low, k) => Math.round(low + part * (VIRIDIS[below + 1][k] - low))) as [number, number, number];
}

export const css = ([r, g, b]: [number, number, number]): string => `rgb(${r},${g},${b})`;
