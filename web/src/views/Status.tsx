import { isLive, stopListening } from "../model/live";
import { cancel } from "../model/opening";
import * as state from "../model/state";
import { needsToken, setToken } from "../service";

export function Problem() {
  if (!state.problem.value) return null;
  return (
    <div class="problem" role="alert">
      <span>{state.problem}</span>
      <button onClick={() => (state.problem.value = "")} aria-label="Dismiss">
        ×
      </button>
    </div>
  );
}

export function Busy() {
  const now = state.busy.value;
  return (
    <div class="busy" role="status" aria-live="polite" hidden={!now}>
      {now && (
        <>
          <span>{now.text}</span>
          <progress aria-label={now.text} value={now.share} />
          <button onClick={isLive.value ? stopListening : cancel}>Cancel</button>
        </>
      )}
    </div>
  );
}

export function Token() {
  if (!needsToken.value) return null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setToken(new FormData(event.target as HTMLFormElement).get("token") as string);
    state.problem.value = "";
    if (location.hash) location.reload(); // to what it leads to
  };
  return (
    <form class="token" onSubmit={submit}>
      <label>
        The token of this service <input name="token" type="password" autocomplete="off" required />
      </label>
      <button>Use it</button>
    </form>
  );
}
