/** Live sound: blocks of samples go to the service, answers come back; the sound is kept, so that it can be located whole. */

import { signal } from "@preact/signals";
import { liveSocket } from "../service";
import type { Answers, Estimate } from "./answer";
import * as state from "./state";
import { envelopes, type Take } from "./take";

export const isLive = signal(false);
export const level = signal<number[]>([]);
export const latency_ms = signal<number | null>(null);

const MOST_KEPT_S = 600;
const MOST_SHOWN = 2000;
const BLOCK_S = 0.05;

/** Where blocks come from: a sound card, or a take that is played as if it were live. */
export interface Feed {
  rate: number;
  channels: number;
  start: (put: (block: Float32Array[]) => void) => void;
  stop: () => void;
}

let end: () => void = () => undefined;

export interface Asked {
  list: string;
  names: string[];
  options: Record<string, string>;
  hop_s: number;
}

export async function listen(feed: Feed, asked: Asked): Promise<void> {
  if (feed.channels < asked.names.length) {
    feed.stop();
    throw new Error(`the list has ${asked.names.length} microphones, the device ${feed.channels} channels`);
  }
  const kept: Float32Array[][] = [];
  const socket = liveSocket();
  socket.binaryType = "arraybuffer";
  state.begin({ answers: { method: state.method.value, estimates: [] } });
  state.options.value = asked.options;
  state.mode.value = "live";
  isLive.value = true;
  state.busy.value = { text: "starting to listen" };
  const told = {
    microphones: asked.list, sample_rate: feed.rate, format: "f32le", hop_s: asked.hop_s, method: state.method.value, ...numbers(asked.options),
  };
  socket.onopen = () => socket.send(JSON.stringify(told));
  socket.onmessage = ({ data }) => heard(JSON.parse(data), () => feed.start((block) => put(socket, block, asked.names.length, kept)));
  const over = new Promise<void>((resolve) => (socket.onclose = () => resolve()));
  end = () => {
    feed.stop();
    if (socket.readyState === WebSocket.OPEN) socket.send('{"event": "end"}');
  };
  await over;
  feed.stop();
  isLive.value = false;
  state.busy.value = null;
  keep(kept, feed.rate);
}

export const stopListening = (): void => end();

/** Options of the form, as the socket's first message has them. */
const numbers = (options: Record<string, string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name, /_(c|s)$/.test(name) ? Number(value) : value]));

function heard(said: { event: string; detail?: string } & Estimate & { latency_s?: number }, begin: () => void): void {
  if (said.event === "error") state.problem.value = said.detail ?? "the service ended it";
  if (said.event === "ready") {
    state.busy.value = null;
    begin();
  }
  if (said.event !== "answer") return;
  latency_ms.value = 1000 * (said.latency_s ?? 0);
  const before = state.answers.value as Answers;
  const estimates = [...before.estimates.slice(-MOST_SHOWN + 1), said];
  if (!state.microphones.value.length) {
    state.microphones.value = state.microphonesOf(
      said.microphones.map(({ name, position_m }, m) => ({ name, channel: m + 1, position_m, ...state.NO_COLUMNS })),
    );
  }
  state.answers.value = { ...before, estimates };
  state.time.value = (said.start_s + said.end_s) / 2;
}

function put(socket: WebSocket, block: Float32Array[], count: number, kept: Float32Array[][]): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  const used = block.slice(0, count);
  level.value = used.map((channel) => channel.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
  const frames = new Float32Array(used[0].length * count);
  used.forEach((channel, k) => channel.forEach((x, n) => (frames[n * count + k] = x)));
  socket.send(frames.buffer);
  kept.push(used);
}

/** What was heard is a take from now on. */
function keep(blocks: Float32Array[][], rate: number): void {
  const length = blocks.reduce((sum, block) => sum + block[0].length, 0);
  if (!length || length > MOST_KEPT_S * rate) return;
  const channels = blocks[0].map((_, k) => {
    const whole = new Float32Array(length);
    let at = 0;
    for (const block of blocks) {
      whole.set(block[k], at);
      at += block[k].length;
    }
    return whole;
  });
  const take: Take = { name: "live.wav", rate, channels };
  [state.take.value, state.waves.value] = [take, envelopes(take)];
  const listed = state.microphones.value;
  if (state.answers.value && !state.answers.value.request) {
    state.answers.value = { ...state.answers.value, request: requestOf(listed) };
  }
}

const requestOf = (listed: state.Microphone[]): Answers["request"] => ({
  microphones: listed.map(({ name, channel, listed: position_m, columns }) => ({ name, channel: channel + 1, position_m, ...columns })),
  method: state.method.value,
  room: state.roomOf(state.options.value.room),
  speed_m_s: 343.2,
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
export function takeFeed(take: Take, channels: number[], ended: () => void): Feed {
  let timer = 0;
  return {
    rate: take.rate,
    channels: channels.length,
    start: (put) => {
      const began = performance.now();
      let at = 0;
      timer = window.setInterval(() => {
        const until = Math.min(take.channels[0].length, Math.round(((performance.now() - began) / 1000) * take.rate));
        if (until > at) put(channels.map((channel) => take.channels[channel].slice(at, until)));
        at = until;
        if (at >= take.channels[0].length) ended();
      }, 1000 * BLOCK_S);
    },
    stop: () => window.clearInterval(timer),
  };
}
