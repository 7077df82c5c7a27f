/** A page that was written with its answers in it (`soundfix locate --plot x.html`): no service, nothing to ask. */

import { batch } from "@preact/signals";
import type { Answers } from "./answer";
import { embedded } from "../service";
import { bytesOf, type Curves } from "./likelihood";
import * as state from "./state";

interface Embedded {
  answers: Answers;
  waves: { duration_s: number; count: number; values: string } | null;
  curves: (Curves | null)[];
  sound: { microphone: string; base64: string } | null;
}

export async function openEmbedded(): Promise<void> {
  if (!embedded) return;
  const { answers, waves, curves, sound } = JSON.parse(await inflated(embedded.textContent!)) as Embedded;
  batch(() => {
    state.begin({ answers, waves: waves && { ...waves, rows: rowsOf(waves) } });
    state.keptCurves.value = curves;
  });
  if (!sound) return;
  state.heard.value = { microphone: sound.microphone };
  const opened = state.opened.value;
  const buffer = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(bytesOf(sound.base64).buffer as ArrayBuffer);
  if (opened === state.opened.value) state.keptSound.value = buffer; // and nothing else was dropped on it meanwhile
}

/** gzip in base64, so that the file is small. */
async function inflated(base64: string): Promise<string> {
  const packed = new Blob([bytesOf(base64.trim()) as Uint8Array<ArrayBuffer>]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text();
}

function rowsOf({ values, count }: { values: string; count: number }): Uint8Array[] {
  const bytes = bytesOf(values);
  return Array.from({ length: bytes.length / count }, (_, m) => bytes.subarray(m * count, (m + 1) * count));
}
