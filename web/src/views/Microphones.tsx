import { computed } from "@preact/signals";
import { STATUS } from "../model/colours";
import { locateAgain } from "../model/opening";
import * as state from "../model/state";
import { type Point } from "../model/answer";
import { shownDevices } from "../space/world";

interface Said {
  name: string;
  status: string;
  pull_m: number | null;
}

/** What the answer that is shown says of each; as text, which is the same as long as nothing happens to a microphone. */
const saidText = computed(() => {
  const reports = new Map(state.shown.value?.microphones.map((each) => [each.name, each]));
  return JSON.stringify(
    state.microphones.value.map((each): Said => {
      const { name } = each;
      const report = reports.get(name);
      const status = state.statusOf(each, report);
      const isFar = status !== "ok" && status !== "off" && Math.abs(report?.pull_m ?? 0) > 0.05;
      return { name, status, pull_m: isFar ? Math.round(100 * report!.pull_m!) / 100 : null };
    }),
  );
});

/** Every microphone: what is wrong with it, where it is; switched off, moved, or its place forgotten. */
export function Microphones() {
  const which = state.microphones.value;
  if (!which.length) return null;
  const said = JSON.parse(saidText.value) as Said[];
  const canEdit = state.canEdit.value;
  const summary = state.answers.value?.summary?.text ?? [];
  return (
    <section class="panel" aria-label="Microphones">
      <h2>Microphones</h2>
      {summary.map((line) => (
        <p class="summary" key={line}>{line.trim()}</p>
      ))}
      {state.isEdited.value && state.mode.value === "take" && (
        <div class="row">
          <button class="main" onClick={locateAgain} disabled={!state.canAsk.value || which.filter((each) => each.isOn).length < 2}>Locate the whole recording so</button>
          <button onClick={state.undoEdits}>As before</button>
        </div>
      )}
      <table class="microphones">
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col">status</th>
            {canEdit && <th scope="col">on</th>}
            {canEdit && state.mode.value === "take" && <th scope="col">place known</th>}
          </tr>
        </thead>
        <tbody>
          {which.map((each, m) => (
            <Row key={each.name} of={each} said={said[m]} canEdit={canEdit} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ of, said: { status, pull_m }, canEdit }: { of: state.Microphone; said: Said; canEdit: boolean }) {
  const isChosen = state.chosenMicrophone.value === of.name;
  const choose = () => (state.chosenMicrophone.value = isChosen ? null : of.name);
  return (
    <>
      <tr class={isChosen ? "chosen" : ""}>
        <th scope="row">
          <button class="plain" onClick={choose} aria-expanded={isChosen}>
            {of.name}
          </button>
        </th>
        <td>
          <b class="dot" style={{ background: `var(${STATUS[status] ?? "--red"})` }} aria-hidden="true" /> {status}
          {pull_m !== null && <small> {(pull_m > 0 ? "+" : "") + pull_m.toFixed(2)} m</small>}
        </td>
        {canEdit && (
          <td>
            <input type="checkbox" role="switch" aria-label={`${of.name} is on`} checked={of.isOn} onChange={() => state.edit(of.name, { isOn: !of.isOn })} />
          </td>
        )}
        {canEdit && state.mode.value === "take" && (
          <td>
            <input
              type="checkbox" aria-label={`the place of ${of.name} is known`} checked={of.isKnown}
              onChange={() => state.edit(of.name, { isKnown: !of.isKnown, position: of.position ?? placeOf(of.name) })}
            />
          </td>
        )}
      </tr>
      {isChosen && (
        <tr class="chosen">
          <td colSpan={4}>
            <Place of={of} canEdit={canEdit} />
            {state.take.value && <button onClick={() => (state.heard.value = { microphone: of.name })}>Listen to it</button>}
            {state.mode.value === "plan" && <button onClick={() => remove(of.name)}>Take it away</button>}
          </td>
        </tr>
      )}
    </>
  );
}

const placeOf = (name: string): Point | null => shownDevices().find((each) => each.name === name)?.at ?? null;

const remove = (name: string) => (state.microphones.value = state.microphones.value.filter((each) => each.name !== name));

function Place({ of, canEdit }: { of: state.Microphone; canEdit: boolean }) {
  const at = of.isKnown ? of.position : placeOf(of.name);
  if (!at) return <span class="quiet">Nobody knows where. </span>;
  const move = (k: number, text: string) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) return;
    state.edit(of.name, { position: at.map((x, n) => (n === k ? value : x)) as Point, isKnown: true });
  };
  return (
    <span class="place">
      {["x", "y", "z"].map((axis, k) => (
        <label key={axis}>
          {axis} <input type="number" step="0.01" aria-label={`${axis} of ${of.name} in metres`} value={at[k].toFixed(2)} disabled={!canEdit} onChange={(event) => move(k, event.currentTarget.value)} /> m
        </label>
      ))}
    </span>
  );
}
