import { expect, test } from "vitest";
import { clockText, errorText, type Estimate, usualStatus, windowAt } from "../src/model/answer";

const at = (start_s: number, statuses: Record<string, string> = {}): Estimate => ({
  start_s, end_s: start_s + 0.5, verdict: "ok", reasons: [], notes: [], sources: [],
  microphones: Object.entries(statuses).map(([name, status]) => ({ name, status, weight: 1, position_m: null, pull_m: null })),
});

test("the window whose middle is nearest", () => {
  const windows = [at(0), at(0.5), at(2)];
  expect([-1, 0.49, 0.51, 1.49, 1.51, 99].map((t) => windowAt(windows, t))).toEqual([0, 0, 1, 1, 2, 2]);
  expect(windowAt([], 1)).toBe(-1);
  expect(windowAt([at(0), at(5), at(2)], 2.3)).toBe(2); // events in another order
});

test("the status that is usual", () => {
  const usual = usualStatus([at(0, { a: "ok", b: "late" }), at(1, { a: "dead", b: "late" }), at(2, { a: "dead", b: "ok" })]);
  expect([...usual]).toEqual([["a", "dead"], ["b", "late"]]);
});

test("numbers as people say them", () => {
  expect([0.001, 0.034, 0.994, 1.04, 12.3].map(errorText)).toEqual(["1 cm", "3 cm", "99 cm", "1.0 m", "12 m"]);
  expect([0, 9.5, 61.25, 3600].map(clockText)).toEqual(["0:00.00", "0:09.50", "1:01.25", "60:00.00"]);
});
