import { useRef } from "preact/hooks";
import { openExample } from "../model/opening";
import { added, lost, plan, roomSides, usualArray } from "../model/planning";
import { film, isFilming, saveCsv, saveJson, saveList, savePicture, stopFilm } from "../model/saving";
import * as state from "../model/state";
import { setTheme, theme } from "../model/theme";
import { isServed } from "../service";

export function Header() {
  return (
    <header>
      <h1>
        soundfix <Title />
      </h1>
      <nav aria-label="What to do">
        {isServed && <Served />}
        {state.answers.value && state.mode.value !== "plan" && <Save />}
        <button onClick={() => setTheme(theme.value === "dark" ? "light" : "dark")}>
          {theme.value === "dark" ? "Light" : "Dark"}
        </button>
        <Help />
      </nav>
    </header>
  );
}

function Title() {
  const answers = state.answers.value;
  if (state.mode.value === "plan") return <small>planning an array</small>;
  if (!answers) return null;
  const file = answers.request?.audio?.files?.[0]?.path.split(/[\\/]/).at(-1);
  const name = state.take.value?.name || file || "";
  const count = answers.estimates.length;
  const all = answers.windows && answers.windows > count ? ` of ${answers.windows}` : "";
  return <small>{[name, answers.method, `${count}${all} ${count === 1 && !all ? "window" : "windows"}`].filter(Boolean).join(" · ")}</small>;
}

function Served() {
  const isPlan = state.mode.value === "plan";
  return (
    <>
      <button onClick={startAgain}>Open</button>
      <button onClick={openExample}>Example</button>
      <button onClick={() => (state.mode.value = "live")} aria-pressed={state.mode.value === "live"}>
        Live
      </button>
      <button onClick={() => (isPlan ? endPlan() : beginPlan())} aria-pressed={isPlan}>
        Plan
      </button>
    </>
  );
}

function startAgain() {
  history.replaceState(null, "", " ");
  state.begin({});
}

/** From the microphones that are there, or from the usual ones. */
function beginPlan() {
  const there = state.microphones.value.filter((each) => each.isKnown && each.position);
  const room = state.answers.value?.request?.room;
  state.begin({});
  if (room && room[0].every((x) => x === 0)) roomSides.value = room[1];
  [plan.value, lost.value] = [null, ""];
  state.microphones.value = there.length ? there.map((each) => added(each.name, each.position!)) : usualArray(roomSides.value);
  state.mode.value = "plan";
}

const endPlan = () => state.begin({});

function Save() {
  const details = useRef<HTMLDetailsElement>(null);
  const then = (act: () => void) => () => {
    if (details.current) details.current.open = false;
    act();
  };
  return (
    <details class="menu" ref={details}>
      <summary>Save</summary>
      <div>
        <button onClick={then(saveJson)}>Answers, JSON</button>
        <button onClick={then(saveCsv)}>Answers, CSV</button>
        <button onClick={then(saveList)}>List of microphones, CSV</button>
        <button onClick={then(savePicture)}>Picture, PNG</button>
        {isFilming.value ? (
          <button onClick={stopFilm}>Stop filming</button>
        ) : (
          <button onClick={then(film)}>Film, WebM (as long as it plays)</button>
        )}
      </div>
    </details>
  );
}

function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button onClick={() => dialog.current?.showModal()} aria-label="Help">
        ?
      </button>
      <dialog ref={dialog} aria-labelledby="help-title">
        <h2 id="help-title">How to read and use this page</h2>
        <p>
          Dots are where sounds came from, coloured by time. The shape round the one of now holds the source with 90 %; a large one is
          drawn as an outline. Octahedra are microphones: red ones contradict the others, faint ones are silent or switched off, blue ones
          have no known place.
        </p>
        <table>
          <tbody>
            <tr><th scope="row">Space</th><td>play, pause</td></tr>
            <tr><th scope="row">← →</th><td>window before, window after</td></tr>
            <tr><th scope="row">Home, End</th><td>first, last window</td></tr>
            <tr><th scope="row">Mouse in the room</th><td>turn; wheel: nearer; right button: shift</td></tr>
            <tr><th scope="row">Drag a microphone</th><td>move it level; with Shift up and down. Coordinates can be typed in its row too</td></tr>
            <tr><th scope="row">Wheel on the timeline</th><td>zoom; Shift: along</td></tr>
          </tbody>
        </table>
        <form method="dialog">
          <button autofocus>Close</button>
        </form>
      </dialog>
    </>
  );
}
