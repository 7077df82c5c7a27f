/** Questions about the window that is looked at: its answer with the microphones as they are now, and its curves. */

import { effect } from "@preact/signals";
import { curvesOf, locateWindow, type Options, type Sent } from "../service";
import { ACCUSED, type Estimate } from "./answer";
import { newestOnly } from "./newest";
import * as state from "./state";
import { wav } from "./take";

const OF_RECORDINGS = new Set(["hop_s", "tracks"]);

/** One window of the take, of the microphones that are on, as they are now. */
function sentWindow(estimate: Estimate): Sent | null {
  const [take, on] = [state.take.value, state.microphones.value.filter((each) => each.isOn)];
  if (!take || !state.canAsk.value || on.length < 2) return null;
  const blob = wav(take, on.map((each) => each.row), estimate.start_s, estimate.end_s);
  const list = { text: state.listText(on, estimate.start_s), name: "microphones.csv" };
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

interface Question {
  estimate: Estimate;
  sent: Sent;
}

/** What comes back is of this take still. */
const about = async <T>(answer: Promise<T>, use: (found: T) => void): Promise<void> => {
  const opened = state.opened.peek();
  const found = await answer;
  if (opened === state.opened.peek()) use(found);
};

const askWindow = newestOnly(({ estimate: { start_s, end_s }, sent }: Question) => {
  const started = performance.now();
  return about(locateWindow(sent), (found) => {
    state.asked.value = { from_s: start_s, estimate: { ...found, start_s, end_s }, milliseconds: performance.now() - started };
  });
});

const askCurves = newestOnly(({ estimate, sent }: Question) =>
  about(curvesOf(sent), (curves) => (state.curves.value = { from_s: estimate.start_s, curves })),
);

/** Ask whenever a microphone is changed, or another window is looked at; not while it plays. */
export function keepAsking(): void {
  const chosen = () => state.answers.value?.estimates[state.chosenWindow.value];
  effect(() => {
    const estimate = chosen();
    if (!state.isEdited.value || state.isPlaying.value || !estimate) return;
    const sent = sentWindow(estimate);
    if (sent) askWindow({ estimate, sent });
    else state.asked.value = null;
  });
  effect(() => {
    const estimate = chosen();
    if (state.slice.value === null || !estimate) return;
    const kept = state.keptCurves.value[state.chosenWindow.value];
    if (kept !== undefined) state.curves.value = { from_s: estimate.start_s, curves: kept };
    else if (!state.isPlaying.value) {
      const sent = sentWindow(estimate);
      if (sent) askCurves({ estimate, sent });
    }
  });
}
