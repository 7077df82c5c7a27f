/** Sound, and the play head that goes with it. Without sound the play head goes by the clock. */

import { effect, untracked } from "@preact/signals";
import { beam } from "./aligned";
import * as state from "./state";
import type { Take } from "./take";

let context: AudioContext | null = null;
let playing: AudioBufferSourceNode | null = null;
let output: GainNode | null = null;
let begun = { at_s: 0, clock_s: 0 };
let frame = 0;

export function outputOf(): { context: AudioContext; output: GainNode } {
  context ??= new AudioContext();
  if (!output) {
    output = context.createGain();
    output.connect(context.destination);
  }
  return { context, output };
}

let made: { key: unknown[]; buffer: AudioBuffer } | null = null;

/** Samples of what is to be heard, or null; made once for all that it depends on. */
function chosenSound(audio: AudioContext): AudioBuffer | null {
  const take = state.take.value;
  if (!take) return state.keptSound.value;
  const key = [take, state.heard.value, state.microphones.value, state.answers.value];
  if (made?.key.every((part, k) => part === key[k])) return made.buffer;
  const samples = samplesOf(take);
  const loudest = samples.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-6);
  const buffer = audio.createBuffer(1, Math.max(1, samples.length), take.rate);
  buffer.getChannelData(0).set(samples.map((x) => (0.7 * x) / loudest));
  made = { key, buffer };
  return buffer;
}

function samplesOf(take: Take): Float32Array {
  const choice = state.heard.value;
  const one = choice === "aligned" ? undefined : state.microphones.value.find((each) => each.name === choice.microphone);
  if (one) return take.rows[one.row];
  return beam(take, state.answers.value?.estimates ?? [], state.microphones.value, state.speed.value);
}

const clock = (): number => (context ? context.currentTime : performance.now() / 1000);

export function play(): void {
  const { context: audio, output: to } = outputOf();
  void audio.resume();
  if (state.time.value >= state.duration.value - 0.01) state.time.value = 0;
  stopSound();
  const buffer = chosenSound(audio);
  if (buffer) {
    playing = new AudioBufferSourceNode(audio, { buffer });
    playing.connect(to);
    playing.start(0, state.time.value);
  }
  begun = { at_s: state.time.value, clock_s: clock() };
  state.isPlaying.value = true;
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(step);
}

export function pause(): void {
  state.isPlaying.value = false;
  stopSound();
}

export function toggle(): void {
  if (state.isPlaying.value) pause();
  else play();
}

/** Go there; playing goes on from there. */
export function seek(time_s: number): void {
  state.time.value = Math.min(Math.max(time_s, 0), state.duration.value);
  if (state.isPlaying.value) play();
}

function stopSound(): void {
  playing?.stop();
  playing = null;
}

function step(): void {
  if (!state.isPlaying.value) return;
  const now_s = begun.at_s + clock() - begun.clock_s;
  if (now_s >= state.duration.value) {
    pause();
    state.time.value = state.duration.value;
    return;
  }
  state.time.value = now_s;
  frame = requestAnimationFrame(step);
}

/** When something else is to be heard while it plays; and silence when nothing plays any more, whoever ended it. */
export function followChoice(): void {
  effect(() => {
    void state.heard.value;
    if (state.isPlaying.peek()) untracked(play);
  });
  effect(() => {
    if (!state.isPlaying.value) stopSound();
  });
}
