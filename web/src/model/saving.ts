/** Everything that is taken away: answers as JSON and CSV, the list, a picture, a film. */

import { signal } from "@preact/signals";
import type { World } from "../space/world";
import { outputOf, pause, play } from "./player";
import * as state from "./state";

export const isFilming = signal(false);
let stage: World | null = null;

export const useWorld = (world: World | null): void => void (stage = world);

export function save(content: Blob | string, name: string): void {
  const url = URL.createObjectURL(typeof content === "string" ? new Blob([content]) : content);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

const nameOf = (suffix: string): string => (state.take.value?.name || "soundfix").replace(/\.\w+$/, "") + suffix;

export const saveJson = (): void => save(JSON.stringify(state.answers.value), nameOf(".json"));

const CSV_COLUMNS = ["start_s", "end_s", "verdict", "reasons", "source", "x_m", "y_m", "z_m", "radius90_m", "score", "track"];

/** A row a source, or one with blank places for a window without any; the columns are named as the command's. */
export function csvText(): string {
  const rows = (state.answers.value?.estimates ?? []).flatMap((estimate) => {
    const head = [estimate.start_s, estimate.end_s, estimate.verdict, estimate.reasons.join(" ")];
    if (!estimate.sources.length || estimate.direction) return [[...head, ...Array(7).fill("")]];
    return estimate.sources.map((s, k) => [...head, k + 1, ...s.position_m, s.radius90_m, s.score, s.track ?? ""]);
  });
  return [CSV_COLUMNS, ...rows].map((row) => row.join(",")).join("\n") + "\n";
}

export const saveCsv = (): void => save(csvText(), nameOf(".csv"));
export const saveList = (): void => save(state.listText(state.microphones.value), "microphones.csv");

export function savePicture(): void {
  stage?.stage.render();
  stage?.stage.canvas.toBlob((blob) => blob && save(blob, nameOf(".png")), "image/png");
}

/** From the beginning to the end, with the sound that is chosen. */
export function film(): void {
  if (!stage || isFilming.value) return;
  if (!globalThis.MediaRecorder?.isTypeSupported("video/webm")) {
    state.problem.value = "this browser makes no WebM films; `soundfix locate --plot film.gif` makes one";
    return;
  }
  const { context, output } = outputOf();
  const sound = context.createMediaStreamDestination();
  output.connect(sound);
  const pictures = stage.stage.canvas.captureStream(30);
  const recorder = new MediaRecorder(new MediaStream([...pictures.getTracks(), ...sound.stream.getTracks()]), { mimeType: "video/webm" });
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.onstop = () => {
    output.disconnect(sound);
    isFilming.value = false;
    save(new Blob(parts, { type: "video/webm" }), nameOf(".webm"));
  };
  isFilming.value = true;
  state.time.value = 0;
  recorder.start();
  play();
  const stop = state.isPlaying.subscribe((plays) => {
    if (plays) return;
    queueMicrotask(() => stop());
    recorder.stop();
  });
}

export const stopFilm = (): void => pause();
