import { useEffect } from "preact/hooks";
import { open } from "../model/opening";
import { pause, seek, toggle } from "../model/player";
import * as state from "../model/state";
import { isServed } from "../service";
import { Aligned } from "./Aligned";
import { Header } from "./Header";
import { Live } from "./Live";
import { Microphones } from "./Microphones";
import { Now } from "./Now";
import { Planner } from "./Planner";
import { Space } from "./Space";
import { optionsIn, Start } from "./Start";
import { Busy, Problem, Token } from "./Status";
import { Timeline } from "./Timeline";

export function App() {
  useEffect(keys, []);
  useEffect(drops, []);
  const isEmpty = state.mode.value === "take" && !state.answers.value && !state.busy.value;
  return (
    <>
      <Header />
      <Problem />
      <Token />
      {isEmpty ? <Start /> : <Work />}
      <Busy />
    </>
  );
}

function Work() {
  const isPlan = state.mode.value === "plan";
  return (
    <main>
      <Space />
      {!isPlan && <Timeline />}
      <aside>
        {state.mode.value === "live" && <Live />}
        {isPlan ? <Planner /> : <Now />}
        <Microphones />
        {!isPlan && <Aligned />}
      </aside>
    </main>
  );
}

/** Space plays; arrows go from window to window, Home and End to the ends. Not where somebody writes. */
function keys() {
  const press = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, dialog")) return;
    if (event.key === " " && target.closest("button, summary, a")) return; // which it presses
    const act = KEYS[event.key];
    if (!act || !state.answers.value) return;
    event.preventDefault();
    act();
  };
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}

export function toWindow(by: number): void {
  const estimates = state.answers.value?.estimates ?? [];
  const next = estimates[Math.min(Math.max(state.chosenWindow.value + by, 0), estimates.length - 1)];
  if (!next) return;
  pause();
  seek((next.start_s + next.end_s) / 2);
}

const KEYS: Record<string, () => void> = {
  " ": toggle,
  ArrowLeft: () => toWindow(-1),
  ArrowRight: () => toWindow(1),
  Home: () => toWindow(-Infinity),
  End: () => toWindow(Infinity),
};

/** What was written into the form, where there is one. */
function optionsOnPage(): Record<string, string> {
  const form = document.querySelector<HTMLFormElement>("form.drop");
  return form ? optionsIn(form) : {};
}

/** Files may be dropped anywhere. */
function drops() {
  const over = (event: DragEvent) => event.preventDefault();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length && (isServed || files.every((file) => file.name.endsWith(".json")))) void open(files, optionsOnPage());
  };
  addEventListener("dragover", over);
  addEventListener("drop", drop);
  return () => {
    removeEventListener("dragover", over);
    removeEventListener("drop", drop);
  };
}
