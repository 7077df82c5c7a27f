/** Questions about the window that is looked at: its answer with the microphones as they are now, and its curves. */

import { effect } from "@preact/signals";
import { curvesOf, isServed, locateWindow, type Options, type Sent } from "../service";
import { ACCUSED, type Estimate } from "./answer";
import * as state from "./state";
import { wav } from "./take";

const OF_RECORDINGS = new Set(["hop_s", "tracks"]);

/** One window of the take, of the microphones that are on, as they are now. */
function sentWindow(estimate: Estimate): Sent | null {
  const [take, on] = [state.take.value, state.microphones.value.filter((each) => each.isOn)];
  if (!take || on.length < 2) return null;
  const blob = wav(take, on.map((each) => each.channel), estimate.start_s, estimate.end_s);
  const list = { text: state.listText(on), name: "microphones.csv" };
  const asked: Options = { ...state.options.value, method: state.method.value };
  const options = Object.fromEntries(Object.entries(asked).filter(([name]) => !OF_RECORDINGS.has(name)));
  return { audio: [{ blob, name: "window.wav" }], list, options, left_out: leftOut(estimate, on) };
}

/** Whom the recording speaks against, as long as nobody has moved them. */
function leftOut(estimate: Estimate, on: state.Microphone[]): string[] {
  const isMoved = new Set(on.filter((each) => each.position !== each.listed || !each.isKnown).map((each) => each.name));
  const against = estimate.microphones.filter(({ name, status }) => ACCUSED.has(status) && !isMoved.has(name));
  return against.map(({ name }) => name).filter((name) => on.some((each) => each.name === name));
}

/** The newest question is asked when the one before it has been answered: whoever drags waits for the last place only. */
function newestOnly<T>(ask: (about: T) => Promise<void>): (about: T) => void {
  let waiting: T | null = null;
  let isAsking = false;
  const next = async () => {
    isAsking = true;
    while (waiting !== null) {
      const about = waiting;
      waiting = null;
      await ask(about).catch((error: Error) => (state.problem.value = error.message));
    }
    isAsking = false;
  };
  return (about) => {
    waiting = about;
    if (!isAsking) void next();
  };
}

const askWindow = newestOnly(async ({ estimate, sent }: { estimate: Estimate; sent: Sent }) => {
  const started = performance.now();
  const found = await locateWindow(sent);
  const [start_s, end_s] = [estimate.start_s, estimate.end_s];
  state.asked.value = { from_s: start_s, estimate: { ...found, start_s, end_s }, milliseconds: performance.now() - started };
});

const askCurves = newestOnly(async ({ sent }: { sent: Sent }) => {
  state.curves.value = await curvesOf(sent);
});

/** Ask whenever a microphone is changed, or another window is looked at. */
export function keepAsking(): void {
  effect(() => {
    const estimate = state.answers.value?.estimates[state.chosenWindow.value];
    if (!isServed || !state.isEdited.value || state.isPlaying.value || !estimate) return;
    const sent = sentWindow(estimate);
    if (sent) askWindow({ estimate, sent });
  });
  effect(() => {
    const estimate = state.answers.value?.estimates[state.chosenWindow.value];
    if (state.slice.value === null || !estimate) return;
    if (!isServed) {
      state.curves.value = state.keptCurves.value[state.chosenWindow.value] ?? null;
      return;
    }
    const sent = sentWindow(estimate);
    if (sent) askCurves({ sent });
  });
}
