/** From files to answers: a recording and its list go to the service, a document of before is shown as it is. */

import { example, locate, type Options, type Sent } from "../service";
import type { Answers, Estimate } from "./answer";
import * as state from "./state";
import { decoded, envelopes, type Take, wav } from "./take";

const LIST = /\.(csv|tsv|txt|ya?ml|json)$/i;
let running: AbortController | null = null;

/** Whatever was dropped: a recording with its list, or a document of `soundfix locate --json`. */
export async function open(files: File[], options: Options): Promise<void> {
  const lists = files.filter((file) => LIST.test(file.name));
  const sounds = files.filter((file) => !LIST.test(file.name));
  const document = sounds.length ? null : await documentIn(lists);
  if (document) return state.begin({ answers: document });
  if (!sounds.length || lists.length !== 1) {
    state.problem.value = `wanted a recording and one list of its microphones, got ${sounds.length} recordings and ${lists.length} lists`;
    return;
  }
  await run({ files: sounds, list: { text: await lists[0].text(), name: lists[0].name }, options });
}

async function documentIn(files: File[]): Promise<Answers | null> {
  for (const file of files.filter((each) => each.name.toLowerCase().endsWith(".json"))) {
    const content = await file.text().then(JSON.parse).catch(() => null);
    if (Array.isArray(content?.estimates)) return content;
  }
  return null;
}

export async function openExample(): Promise<void> {
  await told(async () => {
    state.busy.value = { text: "fetching the example" };
    const { files, list, options, microphones } = await example();
    await run({ files, list: { text: list, name: microphones }, options });
  });
}

/** Locate the whole take again, with the microphones as they are now. */
export async function locateAgain(): Promise<void> {
  const take = state.take.value;
  const on = state.microphones.value.filter((each) => each.isOn);
  if (!take) return;
  const again = { ...take, channels: on.map((each) => take.channels[each.channel]) };
  const blob = wav(again, again.channels.map((_, k) => k));
  const list = { text: state.listText(on), name: "microphones.csv" };
  const name = take.name.replace(/\.\w+$/, "") + ".wav";
  await located({ audio: [{ blob, name }], list, options: asIs(state.options.value) }, again);
}

/** A take that was recorded here. */
export async function locateTake(take: Take, list: string, options: Options): Promise<void> {
  const blob = wav(take, take.channels.map((_, k) => k));
  state.options.value = options;
  await located({ audio: [{ blob, name: take.name }], list: { text: list, name: "microphones.csv" }, options: asIs(options) }, take);
}

export function cancel(): void {
  running?.abort();
}

async function run({ files, list, options }: { files: File[]; list: Sent["list"]; options: Options }): Promise<void> {
  state.options.value = options;
  const audio = files.map((file) => ({ blob: file, name: file.name }));
  const take = decoded(files).catch(() => null);
  await located({ audio, list, options: asIs(options) }, take);
}

const asIs = (options: Options): Options => ({ ...options, method: state.method.value });

async function located(sent: Sent, heard: Take | Promise<Take | null>): Promise<void> {
  running?.abort();
  const mine = (running = new AbortController());
  await told(async () => {
    state.busy.value = { text: "sending" };
    state.begin({});
    void Promise.resolve(heard).then((take) => mine.signal.aborted || hear(take));
    const document = await locate(sent, (share, estimates) => come(sent, share, estimates), mine.signal);
    state.answers.value = document;
    state.microphones.value = state.microphonesOf(document.request?.microphones ?? []);
  }, mine);
}

function hear(take: Take | null): void {
  state.take.value = take;
  state.waves.value = take && envelopes(take);
  if (!take) state.problem.value = "this browser cannot play the recording: answers come, without sound";
}

/** Estimates that are there before all are. */
function come(sent: Sent, share: number, estimates: Estimate[]): void {
  state.busy.value = { text: share ? "locating" : "waiting for the service", share };
  if (!estimates.length || estimates.length === state.answers.value?.estimates.length) return;
  state.answers.value = { method: sent.options.method, estimates: [...estimates] };
  if (state.microphones.value.length) return;
  state.microphones.value = state.microphonesOf(
    estimates[0].microphones.map(({ name, position_m }, m) => ({ name, channel: m + 1, position_m, ...state.NO_COLUMNS })),
  );
}

async function told(work: () => Promise<void>, mine?: AbortController): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!mine?.signal.aborted) state.problem.value = (error as Error).message;
  }
  if (!mine || running === mine || running === null) state.busy.value = null;
}
