/** Questions that overtake each other: whoever drags waits for the answer to the last place only. */

import * as state from "./state";

/** The newest question is asked when the one before it has been answered; what goes wrong is said. */
export function newestOnly<T>(ask: (question: T) => Promise<void>): (question: T) => void {
  let waiting: T | null = null;
  let isAsking = false;
  const next = async () => {
    isAsking = true;
    while (waiting !== null) {
      const question = waiting;
      waiting = null;
      await ask(question).catch((error: Error) => (state.problem.value = error.message));
    }
    isAsking = false;
  };
  return (question) => {
    waiting = question;
    if (!isAsking) void next();
  };
}
