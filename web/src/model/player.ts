/** Sound, and the play head that goes with it. Without sound the play head goes by the clock. */

import { effect, signal } from "@preact/signals";
import { beam } from "./aligned";
import * as state from "./state";

/** What is heard: the channel of a microphone, or all of them aligned to the source that was found. */
export const heard = signal<{ microphone: string } | "aligned">("aligned");
/** The sound of a page that was written with one in it. */
export const keptSound = signal<AudioBuffer | null>(null);

let context: AudioContext | null = null;
let playing: AudioBufferSourceNode | null = null;
let output: GainNode | null = null;
let begun = { at_s: 0, clock_s: 0 };

export function outputOf(): { context: AudioContext; output: GainNode } {
  context ??= new AudioContext();
  if (!output) {
    output = context.createGain();
    output.connect(context.destination);
  }
  return { context, output };
}

/** Samples of what is to be heard, or null. */
function chosenSound(audio: AudioContext): AudioBuffer | null {
  const [take, answers] = [state.take.value, state.answers.value];
  if (!take) return keptSound.value;
  const choice = heard.value;
  const channel = choice === "aligned" ? null : state.microphones.value.find((each) => each.name === choice.microphone)?.channel;
  const samples = channel == null ? beam(take, answers?.estimates ?? [], state.microphones.value, state.speed.value) : take.channels[channel];
  const loudest = samples.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-6);
  const buffer = audio.createBuffer(1, samples.length, take.rate);
  buffer.getChannelData(0).set(samples.map((x) => (0.7 * x) / loudest));
  return buffer;
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
  requestAnimationFrame(step);
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
  requestAnimationFrame(step);
}

/** When something else is to be heard while it plays. */
export function followChoice(): void {
  effect(() => {
    void heard.value;
    if (state.isPlaying.peek()) play();
  });
}
