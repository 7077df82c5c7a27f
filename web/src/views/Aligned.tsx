import { useEffect, useRef } from "preact/hooks";
import { effect } from "@preact/signals";
import { alignedPart, travelTimes } from "../model/aligned";
import { colour, STATUS } from "../model/colours";
import * as state from "../model/state";
import { theme } from "../model/theme";
import { GUTTER, shortened } from "./lanes";

const ROW = 20;
const SPAN_S = 0.03;

/** What is heard, and the channels moved to the source that was found: where it is right, the same sound is above itself. */
export function Aligned() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const take = state.take.value;
  useEffect(() => (canvas.current ? drawing(canvas.current) : undefined), [take]);
  if (!take && !state.keptSound.value) return null;
  if (!take) return <section class="panel"><h2>Sound</h2><p class="quiet">Of {state.heard.value === "aligned" ? "all" : state.heard.value.microphone}, as it was recorded.</p></section>;
  return (
    <section class="panel" aria-label="Sound">
      <h2>Sound</h2>
      <label>
        Heard{" "}
        <select value={state.heard.value === "aligned" ? "" : state.heard.value.microphone} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">all channels, aligned to the source</option>
          {state.microphones.value.map(({ name }) => (
            <option key={name} value={name}>{name}, as it was recorded</option>
          ))}
        </select>
      </label>
      <p class="quiet">
        {1000 * SPAN_S} ms of every channel, earlier by the way from the source: what came from there stands in one column.
      </p>
      <canvas ref={canvas} role="img" aria-label="Channels aligned to the source" />
    </section>
  );
}

const choose = (name: string) => (state.heard.value = name ? { microphone: name } : "aligned");

function drawing(canvas: HTMLCanvasElement): () => void {
  return effect(() => {
    void theme.value;
    const [take, estimate, which] = [state.take.value, state.shown.value, state.microphones.value.filter((each) => each.isOn)];
    const ratio = devicePixelRatio;
    const wide = canvas.parentElement!.clientWidth - 24;
    const high = Math.max(1, which.length) * ROW;
    [canvas.width, canvas.height, canvas.style.width, canvas.style.height] = [wide * ratio, high * ratio, `${wide}px`, `${high}px`];
    const pen = canvas.getContext("2d")!;
    pen.scale(ratio, ratio);
    const source = estimate?.sources[0]?.position_m;
    if (!take || !estimate || !source) return;
    const late = travelTimes(source, which, state.speed.value);
    const middle = loudest(take.rows, take.rate, estimate.start_s, estimate.end_s, which, late);
    which.forEach((each, m) => {
      const status = estimate.microphones.find(({ name }) => name === each.name)?.status ?? "ok";
      const start_s = middle - SPAN_S / 2;
      const part = Number.isNaN(late[m]) ? null : alignedPart(take.rows[each.row], take.rate, start_s, start_s + SPAN_S, late[m]);
      row(pen, each.name, part, m * ROW, wide, colour(STATUS[status] ?? "--red"));
    });
  });
}

/** When, in the window, the channels together are loudest. */
function loudest(rows: Float32Array[], rate: number, start_s: number, end_s: number, which: state.Microphone[], late: number[]): number {
  const parts = which.flatMap((each, m) =>
    Number.isNaN(late[m]) ? [] : [alignedPart(rows[each.row], rate, start_s, end_s, late[m])],
  );
  let [best, most] = [0, 0];
  for (let n = 0; n < (parts[0]?.length ?? 0); n++) {
    const sum = Math.abs(parts.reduce((total, part) => total + part[n], 0));
    if (sum > most) [best, most] = [n, sum];
  }
  return Math.min(Math.max(start_s + best / rate, start_s + SPAN_S / 2), end_s - SPAN_S / 2);
}

function row(pen: CanvasRenderingContext2D, name: string, part: Float32Array | null, top: number, wide: number, ink: string): void {
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  pen.fillStyle = colour("--quiet");
  pen.fillText(shortened(pen, name), 0, top + ROW / 2);
  if (!part) return;
  const peak = part.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9);
  pen.strokeStyle = ink;
  pen.beginPath();
  part.forEach((x, n) => pen.lineTo(GUTTER + (n / part.length) * (wide - GUTTER), top + ROW / 2 - (x / peak) * (ROW / 2 - 2)));
  pen.stroke();
}
