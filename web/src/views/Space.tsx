import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { clockText, errorText, type Point } from "../model/answer";
import { css, viridis } from "../model/colours";
import { errorMap, shareOf } from "../model/planning";
import { useWorld } from "../model/saving";
import * as state from "../model/state";
import { type Device } from "../space/devices";
import { World } from "../space/world";

const webgl = signal(true);

/** The room in space. What it shows is in words beside it (Now, Microphones), for whoever cannot see it. */
export function Space() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let world: World;
    try {
      world = new World(canvas.current!);
    } catch {
      webgl.value = false;
      return;
    }
    useWorld(world);
    (window as unknown as { soundfix: object }).soundfix = { world };
    const leave = dragging(world, canvas.current!);
    return () => {
      leave();
      useWorld(null);
      world.end();
    };
  }, []);
  return (
    <section class="space" aria-label="The room">
      <canvas ref={canvas} role="img" aria-label="Microphones and sources in the room, in 3-D" />
      {!webgl.value && <p class="problem">This browser draws nothing in 3-D (WebGL): places are in words beside.</p>}
      {state.mode.value === "plan" ? <ErrorLegend /> : <TimeLegend />}
      {state.mode.value !== "plan" && state.answers.value && <SliceControls />}
    </section>
  );
}

const STILL_PX = 4; // a click, and no drag

/** A microphone follows the mouse, the camera stays where it is meanwhile. */
function dragging(world: World, canvas: HTMLCanvasElement): () => void {
  let held: { device: Device; from: PointerEvent; off: Point | null; moves: boolean } | null = null;
  const down = (event: PointerEvent) => {
    const device = event.button === 0 ? world.deviceAt(event) : null;
    if (!device) return;
    state.chosenMicrophone.value = device.name;
    if (!state.canEdit.value) return;
    canvas.setPointerCapture(event.pointerId);
    world.stage.controls.enabled = false;
    const at = world.draggedTo(event, device.at, event.shiftKey);
    held = { device, from: event, off: at && (device.at.map((x, k) => x - at[k]) as Point), moves: false };
  };
  const move = (event: PointerEvent) => {
    if (!held) {
      canvas.style.cursor = event.buttons === 0 && state.canEdit.value && world.deviceAt(event) ? "grab" : "";
      return;
    }
    held.moves ||= Math.hypot(event.clientX - held.from.clientX, event.clientY - held.from.clientY) > STILL_PX;
    const to = held.moves ? world.draggedTo(event, held.device.at, event.shiftKey) : null;
    if (!to) return;
    const position = to.map((x, k) => Math.round(100 * (x + (held!.off?.[k] ?? 0))) / 100) as Point;
    state.edit(held.device.name, { position, isKnown: true });
  };
  const up = () => {
    held = null;
    world.stage.controls.enabled = true;
  };
  const heard: [string, (event: PointerEvent) => void][] = [["pointerdown", down], ["pointermove", move], ["pointerup", up], ["pointercancel", up]];
  for (const [name, act] of heard) canvas.addEventListener(name, act as EventListener, { capture: true });
  return () => heard.forEach(([name, act]) => canvas.removeEventListener(name, act as EventListener, { capture: true }));
}

const BAR = Array.from({ length: 11 }, (_, k) => css(viridis(k / 10))).join(",");

function TimeLegend() {
  if (!state.answers.value?.estimates.length) return null;
  return (
    <div class="legend">
      <span>0:00</span>
      <i style={{ background: `linear-gradient(90deg, ${BAR})` }} />
      <span>{clockText(state.duration.value)}</span>
    </div>
  );
}

const TICKS_M = [3, 0.3, 0.03, 0.003];

function ErrorLegend() {
  if (!errorMap.value) return null;
  return (
    <div class="legend" aria-label="Expected error">
      {TICKS_M.map((error_m) => (
        <span key={error_m}>
          <b style={{ background: css(viridis(shareOf(error_m))) }} /> {error_m < 0.01 ? "3 mm" : errorText(error_m)}
        </span>
      ))}
    </div>
  );
}

const AXES = ["x", "y", "z"];
const hasCurves = (): boolean => state.curves.value?.curves != null && state.curves.value.from_s === state.shown.value?.start_s;

/** How likely each place on a plane is, by what all pairs of microphones say of this window. */
function SliceControls() {
  const slice = state.slice.value;
  const [low, high] = state.box.value;
  const choose = (axis: number) => {
    const source = state.shown.value?.sources[0]?.position_m;
    state.slice.value = axis < 0 ? null : { axis: axis as 0 | 1 | 2, at_m: source?.[axis] ?? (low[axis] + high[axis]) / 2 };
  };
  return (
    <div class="slice">
      <label>
        Likelihood
        <select value={String(slice?.axis ?? -1)} onChange={(event) => choose(Number(event.currentTarget.value))}>
          <option value="-1">not shown</option>
          <option value="2">level (z)</option>
          <option value="1">upright (y)</option>
          <option value="0">upright (x)</option>
        </select>
      </label>
      {slice && (
        <label>
          {AXES[slice.axis]} {slice.at_m.toFixed(2)} m
          <input
            type="range" min={low[slice.axis]} max={high[slice.axis]} step="0.02" value={slice.at_m}
            onInput={(event) => (state.slice.value = { ...slice, at_m: Number(event.currentTarget.value) })}
          />
        </label>
      )}
      {slice && !hasCurves() && <p class="quiet">{state.canAsk.value ? "asking …" : "none is kept of this window"}</p>}
      <label class="check">
        <input type="checkbox" checked={state.showsAllRegions.value} onChange={(event) => (state.showsAllRegions.value = event.currentTarget.checked)} />
        all regions
      </label>
    </div>
  );
}
