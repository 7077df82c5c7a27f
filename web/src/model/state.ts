/** What the page knows, as signals: views read them, and draw themselves again when they change. */

import { batch, computed, signal } from "@preact/signals";
import { type Answers, type Estimate, type ListedMicrophone, type Point, usualStatus, windowAt } from "./answer";
import { isServed } from "../service";
import type { Curves } from "./likelihood";
import { durationOf, type Envelopes, type Take } from "./take";

/** A microphone as somebody has it now: dragged, switched off, or called unknown. row: of the take. wasOn: when it was located. */
export interface Microphone {
  name: string;
  row: number;
  listed: Point | null;
  position: Point | null;
  isKnown: boolean;
  isOn: boolean;
  wasOn: boolean;
  columns: Pick<ListedMicrophone, "sigma_m" | "offset_s" | "drift_ppm" | "clock_sigma_s">;
}

export const NO_COLUMNS = { sigma_m: 0, offset_s: 0, drift_ppm: 0, clock_sigma_s: 0 };

export type Mode = "take" | "live" | "plan";

export const mode = signal<Mode>("take");
export const answers = signal<Answers | null>(null);
export const take = signal<Take | null>(null);
export const waves = signal<Envelopes | null>(null);
export const microphones = signal<Microphone[]>([]);
export const options = signal<Record<string, string>>({});
export const method = signal("three-stream");
export const time = signal(0);
export const isPlaying = signal(false);
export const chosenMicrophone = signal<string | null>(null);
export const busy = signal<{ text: string; share?: number } | null>(null);
export const problem = signal("");

/** The answer of one window with the microphones as they are now, by `from_s`, where it begins. */
export const asked = signal<{ from_s: number; estimate: Estimate; milliseconds: number } | null>(null);

/** Curves of windows, by their number, of a page that was written with its data. */
export const keptCurves = signal<(Curves | null)[]>([]);
/** Of the window that begins at from_s. */
export const curves = signal<{ from_s: number; curves: Curves | null } | null>(null);
export const slice = signal<{ axis: 0 | 1 | 2; at_m: number } | null>(null);
export const zoom = signal<[number, number] | null>(null);
/** What is heard: the sound of a microphone, or of all, aligned to the source that was found. */
export const heard = signal<{ microphone: string } | "aligned">("aligned");
/** The sound of a page that was written with one in it. */
export const keptSound = signal<AudioBuffer | null>(null);
/** Counts what was opened: who asked before it is answered in vain. */
export const opened = signal(0);
export const showsAllRegions = signal(false);

export const duration = computed(() => {
  const ends = answers.value?.estimates.at(-1)?.end_s ?? 0;
  return Math.max(take.value ? durationOf(take.value) : 0, waves.value?.duration_s ?? 0, ends);
});

export const chosenWindow = computed(() => windowAt(answers.value?.estimates ?? [], time.value));

export const isEdited = computed(() =>
  microphones.value.some((each) => each.isOn !== each.wasOn || each.isKnown !== (each.listed !== null) || each.position !== each.listed),
);

/** Whether somebody is there to answer, with all that a question needs. */
export const canAsk = computed(() => isServed && take.value !== null && answers.value?.request !== undefined && mode.value === "take");
export const canEdit = computed(() => canAsk.value || mode.value === "plan");

/** What is shown of the chosen window: the answer, or what it would be with the microphones as they are now. */
export const shown = computed<Estimate | null>(() => {
  const estimate = answers.value?.estimates[chosenWindow.value] ?? null;
  const now = asked.value;
  return estimate && now && isEdited.value && now.from_s === estimate.start_s ? now.estimate : estimate;
});

/** The status that each microphone has in most windows. */
export const usual = computed(() => usualStatus(answers.value?.estimates ?? []));

/** What is wrong with a microphone, by this report of it, or else as usual. */
export const statusOf = ({ name, isOn }: Microphone, report?: { status: string }): string =>
  isOn ? (report?.status ?? usual.value.get(name) ?? "ok") : "off";

export const speed = computed(() => answers.value?.request?.speed_m_s ?? 343.2);

/** The room, or what holds all microphones and the sources whose regions are not larger than that. */
export const box = computed<[Point, Point]>(() => {
  const room = answers.value?.request?.room ?? roomOf(options.value.room);
  if (room) return room;
  const points = microphones.value.flatMap((each) => (each.listed ? [each.listed] : []));
  for (const estimate of answers.value?.estimates ?? []) {
    for (const source of estimate.sources) if (source.radius90_m < 5 && !estimate.direction) points.push(source.position_m);
  }
  if (!points.length) return [[0, 0, 0], [6, 5, 3]];
  const low = [0, 1, 2].map((k) => points.reduce((least, p) => Math.min(least, p[k]), Infinity));
  const high = [0, 1, 2].map((k) => points.reduce((most, p) => Math.max(most, p[k]), -Infinity));
  const margin = 0.1 * Math.max(1, ...high.map((h, k) => h - low[k]));
  return [low.map((l) => l - margin) as Point, high.map((h) => h + margin) as Point];
});

export function roomOf(text: string | undefined): [Point, Point] | null {
  const numbers = (text ?? "").split(",").map(Number);
  if (numbers.length !== 6 || !numbers.every(Number.isFinite)) return null;
  return [numbers.slice(0, 3) as Point, numbers.slice(3) as Point];
}

export function microphonesOf(listed: ListedMicrophone[]): Microphone[] {
  return listed.map(({ name, position_m, sigma_m, offset_s, drift_ppm, clock_sigma_s }, row) => ({
    name,
    row,
    listed: position_m,
    position: position_m,
    isKnown: position_m !== null,
    isOn: true,
    wasOn: true,
    columns: { sigma_m, offset_s, drift_ppm, clock_sigma_s },
  }));
}

/** Change one of them. */
export function edit(name: string, change: Partial<Microphone>): void {
  microphones.value = microphones.value.map((each) => (each.name === name ? { ...each, ...change } : each));
}

export function undoEdits(): void {
  microphones.value = microphones.value.map((each) => ({
    ...each, position: each.listed, isKnown: each.listed !== null, isOn: each.wasOn,
  }));
}

type Opened = { answers?: Answers; take?: Take | null; waves?: Envelopes | null; options?: Record<string, string> };
let ended: (() => void)[] = [];

/** To be called when something else is opened. */
export const atEnd = (end: () => void): void => void ended.push(end);

/** A take that is to be located, or answers that are there: everything of the one before has ended, and is gone. */
export function begin(next: Opened): void {
  const all = ended;
  ended = [];
  for (const end of all) end();
  batch(() => {
    opened.value++;
    isPlaying.value = false;
    [time.value, asked.value, curves.value, keptCurves.value, problem.value] = [0, null, null, [], ""];
    [zoom.value, slice.value, chosenMicrophone.value, keptSound.value, heard.value] = [null, null, null, null, "aligned"];
    answers.value = next.answers ?? null;
    microphones.value = next.answers?.request ? microphonesOf(next.answers.request.microphones) : [];
    [take.value, waves.value, options.value] = [next.take ?? null, next.waves ?? null, next.options ?? {}];
    mode.value = "take";
  });
}

/** The microphones of a list that was located again, a part of those of before: the others are switched off. */
export function relisted(before: Microphone[], listed: ListedMicrophone[]): Microphone[] {
  const now = new Map(microphonesOf(listed).map((each) => [each.name, each]));
  return before.map((each) => {
    const { row } = each;
    const again = now.get(each.name);
    return again ? { ...again, row } : { ...each, isOn: false, wasOn: false, position: each.listed, isKnown: each.listed !== null };
  });
}

/** These microphones as they are now, as CSV, for a recording of their rows that begins at `from_s` of the take. */
export function listText(which: Microphone[], from_s = 0): string {
  const rows = which.map(({ name, position, isKnown, columns }) => {
    const place = isKnown && position ? position : ["", "", ""];
    const { sigma_m, offset_s, drift_ppm, clock_sigma_s } = columns;
    return [quoted(name), ...place, sigma_m, offset_s + 1e-6 * drift_ppm * from_s, drift_ppm, clock_sigma_s].join(",");
  });
  return ["name,x,y,z,sigma_m,offset_s,drift_ppm,clock_sigma_s", ...rows, ""].join("\n");
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
