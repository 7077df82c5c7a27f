/** The document of `soundfix locate --json`, as far as the page reads it; its schema is in the package. Metres, seconds. */

export type Point = [number, number, number];
export type Verdict = "ok" | "degraded" | "ambiguous" | "direction only" | "abstain";

export interface Source {
  position_m: Point;
  covariance_m2: [Point, Point, Point];
  radius90_m: number;
  score: number;
  track?: number | null;
  level_dbfs?: number | null;
}

export interface Shell {
  centre_m: Point;
  radius_m: number;
  radius90_m: [number, number];
}

export interface MicrophoneReport {
  name: string;
  status: string;
  weight: number;
  position_m: Point | null;
  pull_m: number | null;
  range_m?: number;
  shell?: Shell;
}

export interface Direction {
  azimuth_deg: number;
  elevation_deg: number;
  cone90_deg: number;
  from_m: Point;
  range_m: [number, number] | null;
  mirror: Direction | null;
}

export interface Estimate {
  start_s: number;
  end_s: number;
  verdict: Verdict;
  reasons: string[];
  notes: string[];
  sources: Source[];
  microphones: MicrophoneReport[];
  direction?: Direction | null;
  clock?: string | null;
  event?: { label: string } | null;
}

export interface ListedMicrophone {
  name: string;
  channel: number | null;
  position_m: Point | null;
  sigma_m: number;
  clock_sigma_s: number;
  offset_s: number;
  drift_ppm: number;
}

export interface Request {
  audio?: { files?: { path: string }[] };
  microphones: ListedMicrophone[];
  method: string;
  room: [Point, Point] | null;
  speed_m_s: number;
  window_s: number | null;
}

export interface MicrophoneEvent {
  time_s: number;
  microphone: string;
  status: string;
  text: string;
}

export interface Answers {
  method: string;
  version?: string;
  request?: Request;
  estimates: Estimate[];
  /** How many there were, where a page holds some of them. */
  windows?: number;
  events?: MicrophoneEvent[];
  summary?: { text: string[]; microphones?: MicrophoneReport[] };
}

/** Statuses that an answer still listens to, as the report's pictures have it. */
export const USED = new Set(["ok", "clipped", "inverted"]);

/** Statuses of those that contradict the others. */
export const ACCUSED = new Set(["noisy", "late", "misplaced", "excluded"]);

export const middleOf = (estimate: Estimate): number => (estimate.start_s + estimate.end_s) / 2;

/** The window that is answered at this time: the one whose middle is nearest, for events may overlap. -1 where there is none. */
export function windowAt(estimates: Estimate[], time_s: number): number {
  let [best, least_s] = [-1, Infinity];
  for (let k = 0; k < estimates.length; k++) {
    const off_s = Math.abs(middleOf(estimates[k]) - time_s);
    if (off_s < least_s) [best, least_s] = [k, off_s];
  }
  return best;
}

/** The status that each microphone has in most windows. */
export function usualStatus(estimates: Estimate[]): Map<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const estimate of estimates) {
    for (const { name, status } of estimate.microphones) {
      const counted = counts.get(name) ?? new Map<string, number>();
      counted.set(status, (counted.get(status) ?? 0) + 1);
      counts.set(name, counted);
    }
  }
  return new Map([...counts].map(([name, counted]) => [name, [...counted].sort((a, b) => b[1] - a[1])[0][0]]));
}

/** Places in metres to the centimetre, errors as people say them. */
export const metres = (value: number): string => `${value.toFixed(2)} m`;
export const errorText = (value_m: number): string =>
  value_m < 0.995 ? `${Math.max(1, Math.round(100 * value_m))} cm` : `${value_m.toFixed(value_m < 10 ? 1 : 0)} m`;

export function clockText(time_s: number): string {
  const minutes = Math.floor(time_s / 60);
  const seconds = (time_s - 60 * minutes).toFixed(2).padStart(5, "0");
  return `${minutes}:${seconds}`;
}
