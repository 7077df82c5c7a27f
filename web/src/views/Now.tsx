import { type Direction, errorText, metres, middleOf, type Source, clockText } from "../model/answer";
import { VERDICT } from "../model/colours";
import * as state from "../model/state";

const SAID: Record<string, string> = {
  ok: "ok",
  degraded: "answered, but something is wrong",
  ambiguous: "several places explain the sound",
  "direction only": "a direction only",
  abstain: "no answer",
};

/** The answer of the window at the play head, in words. */
export function Now() {
  const estimate = state.shown.value;
  if (!estimate) return <section class="panel"><h2>Answer</h2><p class="quiet">None yet.</p></section>;
  const isAsked = estimate === state.asked.value?.estimate;
  return (
    <section class="panel" aria-label="Answer at the play head">
      <h2>
        <b class="verdict" style={{ background: `var(${VERDICT[estimate.verdict]})` }} aria-hidden="true" /> {SAID[estimate.verdict]}
        <small>{clockText(middleOf(estimate))}</small>
      </h2>
      {(estimate.event?.label || estimate.clock) && (
        <p class="quiet">{[estimate.event?.label, estimate.clock?.replace("T", " ").replace(/(\.\d\d)\d+/, "$1")].filter(Boolean).join(" · ")}</p>
      )}
      <div aria-live="polite">
        {estimate.direction ? <Directions of={estimate.direction} /> : <Sources of={estimate.sources} verdict={estimate.verdict} />}
      </div>
      {isAsked && (
        <p class="asked">
          With your microphones, this window alone ({Math.round(state.asked.value!.milliseconds)} ms).
        </p>
      )}
      {estimate.notes.length > 0 && (
        <ul class="notes">
          {estimate.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Sources({ of, verdict }: { of: Source[]; verdict: string }) {
  return (
    <ol class={`sources ${of.length > 1 && verdict !== "ambiguous" ? "several" : ""}`}>
      {of.map(({ position_m, radius90_m, track, level_dbfs }, k) => (
        <li key={k}>
          <span>x {metres(position_m[0])}</span> <span>y {metres(position_m[1])}</span> <span>z {metres(position_m[2])}</span>{" "}
          <span title="The sphere that holds it with 90 %">± {errorText(radius90_m)}</span>
          {track != null && <small> track {track}</small>}
          {level_dbfs != null && <small> {level_dbfs.toFixed(0)} dB</small>}
        </li>
      ))}
    </ol>
  );
}

function Directions({ of }: { of: Direction }) {
  return (
    <p class="sources">
      azimuth {of.azimuth_deg.toFixed(0)}°, elevation {of.elevation_deg.toFixed(0)}° ± {of.cone90_deg.toFixed(0)}°
      {of.mirror && `, or azimuth ${of.mirror.azimuth_deg.toFixed(0)}°, elevation ${of.mirror.elevation_deg.toFixed(0)}°`}
    </p>
  );
}
