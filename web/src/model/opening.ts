/** From files to answers: a recording and its list go to the service, a document of before is shown as it is. */

import { begin, example, follow, forget, type Options, type Sent, soundOf } from "../service";
import type { Answers, Estimate } from "./answer";
import * as state from "./state";
import { envelopes, type Take, wav } from "./take";

const LIST = /\.(csv|tsv|txt|ya?ml|json)$/i;

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
  const list = { text: await lists[0].text(), name: lists[0].name };
  await located({ audio: sounds.map((file) => ({ blob: file, name: file.name })), list, options });
}

async function documentIn(files: File[]): Promise<Answers | null> {
  for (const file of files.filter((each) => each.name.toLowerCase().endsWith(".json"))) {
    const content = await file.text().then(JSON.parse).catch(() => null);
    if (Array.isArray(content?.estimates)) return content;
  }
  return null;
}

export const openExample = (): Promise<boolean> =>
  alone({ text: "fetching the example" }, async (signal) => {
    const { files, list, options, microphones } = await example();
    if (signal.aborted) return;
    const audio = files.map((file) => ({ blob: file, name: file.name }));
    await located({ audio, list: { text: list, name: microphones }, options });
  });

/** Locate the whole take again, with the microphones as they are now; where that fails, all is as before. */
export async function locateAgain(): Promise<void> {
  const [take, answers, before, options] = [state.take.value, state.answers.value, state.microphones.value, state.options.value];
  if (!take || !answers) return;
  const sent = sentAgain(take, before, options);
  const back = () => {
    state.begin({ answers, take, waves: state.waves.value ?? envelopes(take), options });
    state.microphones.value = before;
  };
  await located(sent, { take, before, back });
}

function sentAgain(take: Take, microphones: state.Microphone[], options: Options): Sent {
  const on = microphones.filter((each) => each.isOn);
  const blob = wav(take, on.map((each) => each.row));
  const name = take.name.replace(/\.\w+$/, "") + ".wav";
  return { audio: [{ blob, name }], list: { text: state.listText(on), name: "microphones.csv" }, options };
}

/** A take that was recorded here, by microphones that stand as they are listed. */
export const locateTake = (take: Take, microphones: state.Microphone[], options: Options): Promise<void> =>
  located(sentAgain(take, microphones, options), { take, before: microphones, back: () => undefined });

/** What an address of before leads to: `/#JOB`. */
export const openJob = (job: string): Promise<boolean> =>
  alone({ text: "fetching" }, (signal) => answered(job, signal));

export function cancel(): void {
  for (const end of running) end();
}

/** A take that is there already, whose rows the sent ones are a part of; back: to what was shown before. */
interface Again {
  take: Take;
  before: state.Microphone[];
  back: () => void;
}

async function located(sent: Sent, again?: Again): Promise<void> {
  const options = { ...sent.options };
  const isDone = await alone({ text: "sending" }, async (signal) => {
    state.options.value = options;
    if (again) [state.take.value, state.waves.value] = [again.take, envelopes(again.take)];
    const asked = { ...options, method: state.method.value, ...(again ? {} : { sound: "true" }) };
    const job = await begin({ ...sent, options: asked }, signal);
    if (!again) history.replaceState(null, "", `#${job}`);
    const leave = () => forget(job);
    signal.addEventListener("abort", leave);
    await answered(job, signal, sent.audio[0].name, again);
    signal.removeEventListener("abort", leave); // it is done, and kept
  });
  if (isDone || !again) return;
  const said = state.problem.value;
  again.back();
  state.problem.value = said;
}

async function answered(job: string, signal: AbortSignal, name = "", again?: Again): Promise<void> {
  const sound = async () => {
    const take = { ...(await soundOf(job, signal)), name };
    if (!signal.aborted) [state.take.value, state.waves.value] = [take, envelopes(take)];
  };
  const document = await follow(job, (share, estimates, hasSound) => come(share, estimates, hasSound && !state.take.value ? sound : null), signal);
  const listed = document.request?.microphones ?? [];
  state.answers.value = document;
  state.microphones.value = again ? state.relisted(again.before, listed) : state.microphonesOf(listed);
  if (document.request?.room && !state.options.value.room) {
    state.options.value = { ...state.options.value, room: document.request.room.flat().join() };
  }
}

let isFetching = false;

/** Estimates that are there before all are; and the sound, once. */
function come(share: number, estimates: Estimate[], sound: (() => Promise<void>) | null): void {
  state.busy.value = { text: share ? "locating" : "waiting for the service", share };
  if (sound && !isFetching) {
    isFetching = true;
    void sound().catch((error: Error) => (state.problem.value = error.message)).finally(() => (isFetching = false));
  }
  if (!estimates.length || estimates.length === state.answers.value?.estimates.length) return;
  state.answers.value = { method: state.method.value, estimates: [...estimates] };
  if (state.microphones.value.length) return;
  state.microphones.value = state.microphonesOf(
    estimates[0].microphones.map(({ name, position_m }) => ({ name, channel: null, position_m, ...state.NO_COLUMNS })),
  );
}

const running = new Set<() => void>();

/** Something new, until something else is opened, or somebody cancels it. False where that came to nothing. */
async function alone(busy: { text: string }, work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
  state.begin({});
  const [mine, opened] = [new AbortController(), state.opened.value];
  const end = () => mine.abort();
  running.add(end);
  state.atEnd(end);
  state.busy.value = busy;
  try {
    await work(mine.signal);
    return true;
  } catch (error) {
    if (!mine.signal.aborted) state.problem.value = (error as Error).message;
    return opened !== state.opened.value;
  } finally {
    running.delete(end);
    if (!running.size) state.busy.value = null;
  }
}
