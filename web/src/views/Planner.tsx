import { errorText, type Point } from "../model/answer";
import { added, height, lost, plan, roomSides, timing_cm } from "../model/planning";
import { saveList } from "../model/saving";
import * as state from "../model/state";

/** An array that is to be: what it will tell, and what it will not once one of its microphones is dead. */
export function Planner() {
  const found = plan.value;
  return (
    <section class="panel" aria-label="Plan">
      <h2>Expected error</h2>
      <div class="sides">
        {["x", "y", "z"].map((axis, k) => (
          <Number_ key={axis} name={`Room, ${axis}`} value={roomSides.value[k]} min={0.1} onChange={(value) => setSide(k, value)} unit="m" />
        ))}
        <Number_ name="Error of an arrival" value={timing_cm.value} min={0.1} onChange={(value) => (timing_cm.value = value)} unit="cm" />
      </div>
      {found && (
        <>
          <p class="sources" aria-live="polite">
            median {errorText(found.predicted_error.median_m)}, 90 % below {errorText(found.predicted_error.p90_m)}, worst{" "}
            {errorText(found.predicted_error.worst_m)}
          </p>
          <label>
            Map{" "}
            <select value={height.value} onChange={(event) => (height.value = Number(event.currentTarget.value))}>
              {found.predicted_error.slices.map(({ normal, at_m }, k) => (
                <option key={k} value={k}>{normal === "z" ? "level" : "upright"}, {normal} {at_m.toFixed(2)} m</option>
              ))}
            </select>
          </label>
          <Losses />
          <ul class="notes">
            {found.geometry.limits.map((limit) => (
              <li key={limit}>{limit}</li>
            ))}
          </ul>
        </>
      )}
      <div class="row">
        <button onClick={add}>Add a microphone</button>
        <button onClick={saveList}>Save the list</button>
      </div>
    </section>
  );
}

function Losses() {
  const found = plan.value!;
  return (
    <label>
      Dead{" "}
      <select value={lost.value} onChange={(event) => (lost.value = event.currentTarget.value)}>
        <option value="">none</option>
        {state.microphones.value.map(({ name }) => {
          const loss = found.without.find((each) => each.name === name);
          const said = loss ? (loss.error_m === null ? ": no places" : `: median ${errorText(loss.error_m)}`) : "";
          return <option key={name} value={name}>{name}{said}</option>;
        })}
      </select>
    </label>
  );
}

function setSide(k: number, value: number): void {
  roomSides.value = roomSides.value.map((side, n) => (n === k ? value : side)) as Point;
}

function add(): void {
  const names = new Set(state.microphones.value.map((each) => each.name));
  let count = names.size + 1;
  while (names.has(`m${count}`)) count++;
  const middle = roomSides.value.map((side) => side / 2) as Point;
  state.microphones.value = [...state.microphones.value, added(`m${count}`, middle)];
  state.chosenMicrophone.value = `m${count}`;
}

function Number_(props: { name: string; value: number; min: number; unit: string; onChange: (value: number) => void }) {
  const change = (text: string) => Number(text) >= props.min && props.onChange(Number(text));
  return (
    <label>
      {props.name} <input type="number" step="any" min={props.min} value={props.value} onChange={(event) => change(event.currentTarget.value)} /> {props.unit}
    </label>
  );
}
