import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { open, openExample } from "../model/opening";
import * as state from "../model/state";
import { isServed, type Method, methods, needsToken } from "../service";

const known = signal<Method[]>([]);

export function Start() {
  useEffect(() => {
    if (isServed && !needsToken.value) methods().then((found) => (known.value = found)).catch((error: Error) => (state.problem.value = error.message));
  }, [needsToken.value]);
  if (!isServed) return <main class="start"><p role="status">Opening …</p></main>;
  return (
    <main class="start">
      <p class="lead">Where did that sound come from?</p>
      <form class="drop" onSubmit={submit}>
        <p>Drop a recording and the list of its microphones here: one multichannel file, or a file for each microphone.</p>
        <label>
          Recording <input type="file" name="audio" multiple accept="audio/*,.wav,.flac,.w64,.caf,.aiff" required />
        </label>
        <label>
          List of microphones (name,x,y,z in metres) <input type="file" name="list" accept=".csv,.tsv,.txt,.yaml,.yml,.json" required />
        </label>
        <Options />
        <div class="row">
          <button class="main">Locate</button>
          <button type="button" onClick={openExample}>
            Show the example
          </button>
        </div>
      </form>
      <p class="quiet">
        Nothing leaves the machine that this service runs on. A file of <code>soundfix locate --json</code> can be dropped too.
      </p>
    </main>
  );
}

export function Options() {
  return (
    <details>
      <summary>What is known of the place</summary>
      <label>
        Room or search, x0,y0,z0,x1,y1,z1 (m) <input name="room" placeholder="0,0,0,6,5,3" pattern="[\-0-9., eE+]*" />
      </label>
      <label>
        Temperature (°C) <input name="temperature_c" type="number" step="any" min="-60" max="80" placeholder="20" />
      </label>
      <label>
        Seconds from answer to answer <input name="hop_s" type="number" step="any" min="0.02" max="60" placeholder="0.5" />
      </label>
      <label class="check">
        <input name="tracks" type="checkbox" value="true" /> Follow who is who
      </label>
      <MethodChoice />
    </details>
  );
}

export function MethodChoice() {
  return (
    <label>
      Method
      <select name="method" value={state.method.value} onChange={(event) => (state.method.value = event.currentTarget.value)}>
        {(known.value.length ? known.value : [{ name: state.method.value, summary: "" }]).map(({ name, summary }) => (
          <option key={name} value={name} title={summary}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function optionsIn(form: HTMLFormElement): Record<string, string> {
  const names = ["room", "temperature_c", "hop_s", "tracks"];
  const given = new FormData(form);
  return Object.fromEntries(names.flatMap((name) => (given.get(name) ? [[name, String(given.get(name)).trim()]] : [])));
}

function submit(event: SubmitEvent) {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const files = ["audio", "list"].flatMap((name) => [...((form.elements.namedItem(name) as HTMLInputElement).files ?? [])]);
  void open(files, optionsIn(form));
}
