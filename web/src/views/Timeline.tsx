import { computed, effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { clockText, windowAt } from "../model/answer";
import { isLive } from "../model/live";
import { pause, play, seek } from "../model/player";
import * as state from "../model/state";
import { theme } from "../model/theme";
import { toWindow } from "./App";
import { drawLanes, GUTTER, heightOf } from "./lanes";

const width = signal(0);
const LIVE_S = 60;
const view = computed<[number, number]>(() => {
  const all = state.duration.value || 1;
  if (isLive.value) return [Math.max(0, all - LIVE_S), all];
  const [from, to] = state.zoom.value ?? [0, all];
  return to > all + 1e-6 || from >= to ? [0, all] : [from, to];
});
const pointed = signal<number | null>(null);

const atX = (x: number): number => view.value[0] + ((x - GUTTER) / (width.value - GUTTER)) * (view.value[1] - view.value[0]);
const xAt = (time_s: number): number =>
  GUTTER + ((time_s - view.value[0]) / (view.value[1] - view.value[0])) * (width.value - GUTTER);

export function Timeline() {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => drawing(frame.current!, canvas.current!), []);
  return (
    <section class="timeline" aria-label="Timeline">
      <Transport />
      <div ref={frame} class="lanes" {...mouse}>
        <canvas ref={canvas} />
        <Head />
        <Pointed />
      </div>
    </section>
  );
}

function Transport() {
  const plays = state.isPlaying.value;
  return (
    <div class="transport">
      <button class="main" onClick={() => (plays ? pause() : play())} disabled={!state.duration.value}>
        {plays ? "Pause" : "Play"}
      </button>
      <button onClick={() => toWindow(-1)} aria-label="Window before">‹</button>
      <button onClick={() => toWindow(1)} aria-label="Window after">›</button>
      <Clock />
      {state.zoom.value && <button onClick={() => (state.zoom.value = null)}>All of it</button>}
      <Said />
    </div>
  );
}

function Clock() {
  return (
    <output class="clock">
      {clockText(state.time.value)} / {clockText(state.duration.value)}
    </output>
  );
}

/** What happened to microphones at this time, so that a jump explains itself. */
function Said() {
  const estimate = state.shown.value;
  const events = (state.answers.value?.events ?? []).filter(
    ({ time_s }) => estimate && time_s >= estimate.start_s - 1e-6 && time_s < estimate.end_s,
  );
  return <span class="said">{events.map(({ text }) => text.replace(/^[\d:.]+\s+/, "")).join(" · ")}</span>;
}

function Head() {
  const [x, time_s] = [xAt(state.time.value), Math.round(100 * state.time.value) / 100];
  const values = { "aria-valuemin": 0, "aria-valuemax": state.duration.value, "aria-valuenow": time_s, "aria-valuetext": clockText(time_s) };
  return (
    <i class="head" role="slider" tabIndex={0} aria-label="Play head" {...values} data-hidden={x < GUTTER} style={{ transform: `translateX(${x}px)` }} />
  );
}

function Pointed() {
  const time_s = pointed.value;
  const estimate = time_s === null ? null : state.answers.value?.estimates[windowAt(state.answers.value.estimates, time_s)];
  if (time_s === null || !estimate) return null;
  const bad = estimate.microphones.filter(({ status }) => status !== "ok").map(({ name, status }) => `${name} ${status}`);
  return (
    <span class="pointed" style={{ left: `${Math.min(xAt(time_s), width.value - 190)}px` }}>
      {clockText(time_s)} {estimate.verdict}
      {bad.length > 0 && <small>{bad.slice(0, 4).join(", ")}</small>}
    </span>
  );
}

const mouse = {
  onPointerDown: (event: PointerEvent) => {
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    seekTo(event);
  },
  onPointerMove: (event: PointerEvent) => {
    pointed.value = event.pointerType === "mouse" ? atX(offsetX(event)) : null;
    if (event.buttons & 1) seekTo(event);
  },
  onPointerLeave: () => (pointed.value = null),
  onWheel: (event: WheelEvent) => {
    event.preventDefault();
    const [from, to] = view.value;
    const by = event.deltaY || event.deltaX;
    if (event.shiftKey) return slide((by / 500) * (to - from));
    const at = atX(offsetX(event));
    const factor = Math.exp(by / 400);
    const next: [number, number] = [at - (at - from) * factor, at + (to - at) * factor];
    const all = state.duration.value;
    state.zoom.value = next[1] - next[0] >= all ? null : [Math.max(0, next[0]), Math.min(all, Math.max(next[1], next[0] + 0.05))];
  },
};

function slide(by_s: number): void {
  const [from, to] = view.value;
  const step = Math.min(Math.max(by_s, -from), state.duration.value - to);
  state.zoom.value = [from + step, to + step];
}

const offsetX = (event: MouseEvent): number => event.clientX - (event.currentTarget as HTMLElement).getBoundingClientRect().left;
const seekTo = (event: PointerEvent): void => seek(atX(offsetX(event)));

function drawing(frame: HTMLElement, canvas: HTMLCanvasElement): () => void {
  const watch = new ResizeObserver(() => (width.value = frame.clientWidth));
  watch.observe(frame);
  const stop = effect(() => {
    void theme.value;
    const which = state.microphones.value;
    const high = heightOf(which.length);
    const ratio = devicePixelRatio;
    [canvas.width, canvas.height] = [width.value * ratio, high * ratio];
    [canvas.style.width, canvas.style.height] = [`${width.value}px`, `${high}px`];
    const pen = canvas.getContext("2d");
    if (!pen || width.value < GUTTER) return;
    pen.scale(ratio, ratio);
    drawLanes(pen, width.value, {
      estimates: state.answers.value?.estimates ?? [],
      waves: state.waves.value,
      names: which.map((each) => each.name),
      rows: which.map((each) => each.row),
      events: state.answers.value?.events ?? [],
      from_s: view.value[0],
      to_s: view.value[1],
    });
  });
  return () => {
    watch.disconnect();
    stop();
  };
}
