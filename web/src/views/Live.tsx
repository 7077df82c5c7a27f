import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { deviceFeed, isLive, latency_ms, level, listen, stopListening, takeFeed } from "../model/live";
import { listedIn } from "../model/listing";
import { locateTake } from "../model/opening";
import * as state from "../model/state";
import { MethodChoice, optionsIn } from "./Start";

const devices = signal<MediaDeviceInfo[]>([]);

/** Sound while it is made: a sound card with a channel a microphone, or the take that is open, as if it were live. */
export function Live() {
  useEffect(() => {
    void navigator.mediaDevices?.enumerateDevices().then((all) => (devices.value = all.filter(({ kind }) => kind === "audioinput")));
  }, []);
  return (
    <section class="panel" aria-label="Live">
      <h2>Live</h2>
      {isLive.value ? <Running /> : <Ask />}
    </section>
  );
}

function Running() {
  return (
    <>
      <div class="levels" role="img" aria-label="Level of each channel">
        {level.value.map((peak, k) => (
          <i key={k} style={{ height: `${Math.max(2, 100 + 1.6 * 20 * Math.log10(Math.max(peak, 1e-4)))}%` }} />
        ))}
      </div>
      <p class="quiet">{latency_ms.value === null ? "…" : `an answer ${latency_ms.value.toFixed(0)} ms after its window`}</p>
      <button class="main" onClick={stopListening}>Stop</button>
    </>
  );
}

function Ask() {
  const take = state.take.value;
  return (
    <form onSubmit={submit}>
      <label>
        From{" "}
        <select name="device">
          {take && <option value="take">{take.name}, as if it were live</option>}
          <option value="">the default sound card</option>
          {devices.value.filter(({ deviceId }) => deviceId).map(({ deviceId, label }) => <option key={deviceId} value={deviceId}>{label || deviceId}</option>)}
        </select>
      </label>
      <label>
        List of its microphones {state.microphones.value.length ? "(without one: those that are shown)" : ""}
        <input type="file" name="list" accept=".csv" />
      </label>
      <label>
        Room, x0,y0,z0,x1,y1,z1 (m) <input name="room" value={state.options.value.room ?? ""} pattern="[\-0-9., eE+]*" />
      </label>
      <label>
        Seconds from answer to answer <input name="hop_s" type="number" step="any" min="0.05" max="10" value="0.25" />
      </label>
      <MethodChoice />
      <div class="row">
        <button class="main">Listen</button>
        {take?.name === "live.wav" && (
          <button type="button" onClick={() => locateTake(take, state.microphones.value, state.options.value)}>Locate what was heard</button>
        )}
      </div>
    </form>
  );
}

async function submit(event: SubmitEvent) {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const given = new FormData(form);
  const file = given.get("list") as File;
  const { hop_s = "0.25", ...options } = optionsIn(form);
  const take = given.get("device") === "take" ? state.take.value : null;
  try {
    const asked = file.size ? listedIn(await file.text()) : shown(take !== null);
    if (!asked.microphones.length) throw new Error("wanted the list of the microphones: name,x,y,z, a row for each channel");
    const feed = take ? takeFeed(take, stopListening) : await deviceFeed(String(given.get("device")));
    await listen(feed, { ...asked, options, hop_s: Number(hop_s) });
  } catch (error) {
    state.problem.value = (error as Error).message;
  }
}

/** Those of the page that are on; rows of the take, or channels in this order. */
function shown(isTake: boolean) {
  const on = state.microphones.value.filter((each) => each.isOn);
  const microphones = on.map((each, row) => ({ ...each, row, listed: each.isKnown ? each.position : null, wasOn: true }));
  return { microphones, channels: on.map((each, k) => (isTake ? each.row : k)) };
}
