/** What the page asks the service for. Every refusal is a sentence. */

import { signal } from "@preact/signals";
import type { Answers, Estimate } from "./model/answer";
import type { Curves } from "./model/likelihood";
import { type Take, takeOf } from "./model/take";

/** What a page was written with, if it was. */
export const embedded = document.getElementById("soundfix-data");
export const isServed = location.protocol.startsWith("http") && !embedded;
export const needsToken = signal(false);

const POLL_MS = 150;
const KEY = "soundfix-token";

export const token = (): string => sessionStorage.getItem(KEY) ?? "";

export function setToken(text: string): void {
  sessionStorage.setItem(KEY, text);
  needsToken.value = false;
}

class Refusal extends Error {}

async function asked(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : undefined;
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Refusal("the service does not answer: is `soundfix serve` still running?");
  }
  if (response.ok) return response;
  needsToken.value = response.status === 401;
  const { detail } = await response.json().catch(() => ({ detail: response.statusText }));
  throw new Refusal(typeof detail === "string" ? detail : detail.map((each: { loc: string[]; msg: string }) => `${each.loc.at(-1)}: ${each.msg}`).join("; "));
}

export type Options = Record<string, string>;

export interface Sent {
  audio: { blob: Blob; name: string }[];
  list: { text: string; name: string };
  options: Options;
  left_out?: string[];
}

function form({ audio, list, options, left_out = [] }: Sent): FormData {
  const data = new FormData();
  for (const { blob, name } of audio) data.append("audio", blob, name);
  data.append("microphones", new Blob([list.text]), list.name);
  for (const name of left_out) data.append("left_out", name);
  for (const [name, value] of Object.entries(options)) if (value !== "") data.append(name, value);
  return data;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Watch = (share: number, estimates: Estimate[], hasSound: boolean) => void;

/** Send a whole recording; the id of the job that it is from now on. */
export async function begin(sent: Sent, signal: AbortSignal): Promise<string> {
  const begun = await asked("locate?wait=0", { method: "POST", body: form(sent), signal });
  return begun.headers.get("X-Job")!;
}

/** Its document, once it is there; `watch` is told how far it is, and the estimates as they come. */
export async function follow(job: string, watch: Watch, signal: AbortSignal): Promise<Answers> {
  const estimates: Estimate[] = [];
  for (;;) {
    const said = await (await asked(`jobs/${job}/estimates?after=${estimates.length}`, { signal })).json();
    estimates.push(...said.estimates);
    watch(said.progress, estimates, said.sound);
    if (said.state === "done" || said.state === "failed") break;
    await pause(POLL_MS);
    signal.throwIfAborted();
  }
  return (await asked(`jobs/${job}/result`, { signal })).json();
}

/** What was heard of each microphone, in the order of the list. */
export async function soundOf(job: string, signal: AbortSignal): Promise<Take> {
  return takeOf(await (await asked(`jobs/${job}/sound`, { signal })).arrayBuffer(), "");
}

/** Nobody waits for it any more. */
export const forget = (job: string): void => void asked(`jobs/${job}`, { method: "DELETE" }).catch(() => undefined);

export async function locateWindow(sent: Sent): Promise<Estimate> {
  return (await (await asked("window", { method: "POST", body: form(sent) })).json()).estimate;
}

export async function curvesOf(sent: Sent): Promise<Curves | null> {
  return (await (await asked("likelihood", { method: "POST", body: form(sent) })).json()).curves;
}

export interface Slice {
  normal: "y" | "z";
  at_m: number;
  across_m: number[];
  up_m: number[];
  error_m: number[][];
}

export interface Plan {
  geometry: { grade: string; limits: string[]; can_lose: number };
  box_m: [[number, number, number], [number, number, number]];
  predicted_error: { median_m: number; p90_m: number; worst_m: number; slices: Slice[] };
  without: { name: string; error_m: number | null }[];
}

export async function planOf(list: string, options: Options): Promise<Plan> {
  const data = form({ audio: [], list: { text: list, name: "plan.csv" }, options });
  return (await asked("plan", { method: "POST", body: data })).json();
}

export interface Method {
  name: string;
  summary: string;
  is_default: boolean;
}

export const methods = async (): Promise<Method[]> => (await asked("methods")).json();

export interface Example {
  audio: string;
  microphones: string;
  about: string;
  options: Options;
}

export async function example(): Promise<Example & { files: File[]; list: string }> {
  const told: Example = await (await asked("example")).json();
  const [sound, list] = await Promise.all([asked(`example/${told.audio}`), asked(`example/${told.microphones}`)]);
  return { ...told, files: [new File([await sound.blob()], told.audio)], list: await list.text() };
}

/** The socket of live sound; the token goes beside the protocol's name, where browsers can put it. */
export function liveSocket(): WebSocket {
  const address = new URL("live", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(address, token() ? ["soundfix", `bearer.${encoded(token())}`] : ["soundfix"]);
}

/** In base64 for addresses: names of protocols hold neither / nor =. */
function encoded(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
