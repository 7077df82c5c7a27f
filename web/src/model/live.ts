/** Live sound: blocks of samples go to the service, answers come back; the sound is kept, so that it can be located whole. */

import { signal } from "@preact/signals";
import { liveSocket } from "../service";
import type { Answers, Estimate } from "./answer";
import * as state from "./state";
import { envelopes, type Take } from "./take";

export const isLive = signal(false);
export const level = signal<number[]>([]);
export const latency_ms = signal<number | null>(null);

const MOST_KEPT_S = 600; // of sound
const MOST_KEPT = 20_000; // answers
const MOST_WAITING_BYTES = 16e6;
const BLOCK_S = 0.05;

/** Where blocks come from: a sound card, or a take that is played as if it were live. */
export interface Feed {
  rate: number;
  channels: number;
  start: (put: (block: Float32Array[]) => void) => void;
  stop: () => void;
}

export interface Asked {
  microphones: state.Microphone[];
  /** Of the feed, for each microphone. */
  channels: number[];
  options: Record<string, string>;
  hop_s: number;
}

let stop: () => void = () => undefined;
export const stopListening = (): void => stop();

/** Until somebody stops it, or opens something else. */
export async function listen(feed: Feed, asked: Asked): Promise<void> {
  try {
    const wanted = Math.max(...asked.channels) + 1;
    if (feed.channels < wanted) {
      throw new Error(`the list has channels up to ${wanted}, the device ${feed.channels} channel${feed.channels === 1 ? "" : "s"}`);
    }
    await heardThrough(feed, asked);
  } finally {
    feed.stop();
  }
}

async function heardThrough(feed: Feed, asked: Asked): Promise<void> {
  state.begin({ answers: { method: state.method.value, estimates: [] }, options: asked.options });
  [state.mode.value, state.microphones.value] = ["live", asked.microphones];
  const opened = state.opened.value;
  const isMine = () => opened === state.opened.value;
  const [socket, sound] = [liveSocket(), new Sound()];
  let isReady = false;
  const over = new Promise<void>((resolve) => (socket.onclose = () => resolve()));
  stop = () => {
    feed.stop();
    if (socket.readyState === WebSocket.OPEN) socket.send('{"event": "end"}');
    else socket.close();
  };
  state.atEnd(() => socket.close());
  [isLive.value, state.busy.value] = [true, { text: "starting to listen" }];
  socket.onopen = () => socket.send(JSON.stringify(firstMessage(feed, asked)));
  socket.onmessage = ({ data }) => {
    const said = JSON.parse(data) as Said;
    if (!isMine()) return;
    if (said.event === "error") state.problem.value = said.detail ?? "the service ended it";
    if (said.event === "answer") show(said);
    if (said.event !== "ready") return;
    [isReady, state.busy.value] = [true, null];
    feed.start((block) => put(socket, asked.channels.map((channel) => block[channel]), sound, feed.rate));
  };
  await over;
  isLive.value = false;
  if (!isMine()) return;
  state.busy.value = null;
  if (!isReady && !state.problem.value) state.problem.value = "the service did not listen: is its token right, is it still running?";
  keep(sound, feed.rate);
}

const firstMessage = (feed: Feed, { microphones, options, hop_s }: Asked): Record<string, unknown> => ({
  microphones: state.listText(microphones),
  sample_rate: feed.rate,
  format: "f32le",
  hop_s,
  method: state.method.value,
  ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, typed(name, value)])),
});

/** Options of a form, as the socket's first message has them. */
const typed = (name: string, value: string): unknown => (name === "tracks" ? true : /_(c|s)$/.test(name) ? Number(value) : value);

type Said = { event: string; detail?: string; latency_s?: number } & Estimate;

function show(said: Said): void {
  latency_ms.value = 1000 * (said.latency_s ?? 0);
  const before = state.answers.value!;
  if (before.estimates.length === MOST_KEPT) state.problem.value = `only the last ${MOST_KEPT} answers are kept here`;
  state.answers.value = { ...before, estimates: [...before.estimates.slice(-MOST_KEPT + 1), said] };
  state.time.value = (said.start_s + said.end_s) / 2;
}

/** What was heard so far, as long as it is not too much. */
class Sound {
  blocks: Float32Array[][] = [];
  length = 0;

  add(block: Float32Array[], rate: number): void {
    this.length += block[0].length;
    if (this.length <= MOST_KEPT_S * rate) this.blocks.push(block);
    else this.blocks = [];
  }
}

function put(socket: WebSocket, block: Float32Array[], sound: Sound, rate: number): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  if (socket.bufferedAmount > MOST_WAITING_BYTES) {
    state.problem.value = "the sound goes out more slowly than it comes in: fewer channels, or a quicker network";
    return stop();
  }
  level.value = block.map((channel) => channel.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
  const frames = new Float32Array(block[0].length * block.length);
  block.forEach((channel, k) => channel.forEach((x, n) => (frames[n * block.length + k] = x)));
  socket.send(frames.buffer);
  sound.add(block, rate);
}

/** What was heard is a take from now on, to be asked about as any other. */
function keep({ blocks, length }: Sound, rate: number): void {
  if (!length) return;
  const microphones = state.microphones.value;
  state.answers.value = { ...state.answers.value!, request: requestOf(microphones) };
  if (!blocks.length) {
    state.problem.value = `more than ${MOST_KEPT_S / 60} minutes: the sound was not kept`;
    return;
  }
  const rows = blocks[0].map((_, k) => joined(blocks.map((block) => block[k]), length));
  const take: Take = { name: "live.wav", rate, rows };
  [state.take.value, state.waves.value] = [take, envelopes(take)];
}

function joined(parts: Float32Array[], length: number): Float32Array {
  const whole = new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const requestOf = (listed: state.Microphone[]): Answers["request"] => ({
  microphones: listed.map(({ name, row, listed: position_m, columns }) => ({ name, channel: row + 1, position_m, ...columns })),
  method: state.method.value,
  room: state.roomOf(state.options.value.room),
  speed_m_s: state.speed.value,
  window_s: null,
});

const WORKLET = `registerProcessor("blocks", class extends AudioWorkletProcessor {
  process([input]) {
    if (input.length) this.port.postMessage(input.map((channel) => channel.slice()));
    return true;
  }
});`;

/** A sound card, as it is: no echo is cancelled, no noise suppressed, no level set. */
export async function deviceFeed(deviceId: string): Promise<Feed> {
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const audio = { ...plain, channelCount: { ideal: 32 }, deviceId: deviceId ? { exact: deviceId } : undefined };
  const stream = await navigator.mediaDevices.getUserMedia({ audio });
  const channels = stream.getAudioTracks()[0].getSettings().channelCount ?? 1;
  const context = new AudioContext();
  const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
  const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
  await context.audioWorklet.addModule(url);
  URL.revokeObjectURL(url);
  const node = new AudioWorkletNode(context, "blocks", { numberOfOutputs: 0, channelCount: channels, channelCountMode: "explicit", channelInterpretation: "discrete" });
  const gathered = gather(Math.round(BLOCK_S * context.sampleRate));
  return {
    rate: context.sampleRate,
    channels,
    start: (to) => {
      node.port.onmessage = ({ data }) => gathered(data, to);
      source.connect(node);
    },
    stop: () => {
      stream.getTracks().forEach((track) => track.stop());
      if (context.state !== "closed") void context.close();
    },
  };
}

/** Small blocks put together. */
function gather(least: number): (block: Float32Array[], to: (block: Float32Array[]) => void) => void {
  let waiting: Float32Array[][] = [];
  return (block, to) => {
    waiting.push(block);
    if (waiting.reduce((sum, each) => sum + each[0].length, 0) < least) return;
    to(block.map((_, k) => Float32Array.from(waiting.flatMap((each) => [...each[k]]))));
    waiting = [];
  };
}

/** A take, as fast as time goes. */
export function takeFeed(take: Take, ended: () => void): Feed {
  let timer = 0;
  return {
    rate: take.rate,
    channels: take.rows.length,
    start: (put) => {
      const began = performance.now();
      let at = 0;
      timer = window.setInterval(() => {
        const until = Math.min(take.rows[0].length, Math.round(((performance.now() - began) / 1000) * take.rate));
        if (until > at) put(take.rows.map((row) => row.slice(at, until)));
        at = until;
        if (at >= take.rows[0].length) ended();
      }, 1000 * BLOCK_S);
    },
    stop: () => window.clearInterval(timer),
  };
}
