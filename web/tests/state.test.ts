import { beforeEach, expect, test } from "vitest";
import type { Estimate } from "../src/model/answer";
import { csvText } from "../src/model/saving";
import * as state from "../src/model/state";

const listed = { name: "a,b", channel: 2, position_m: [1, 2, 3] as [number, number, number], ...state.NO_COLUMNS, offset_s: 0.5 };
const estimate = { start_s: 0, end_s: 1, verdict: "ok", reasons: ["dead:x"], notes: [], sources: [], microphones: [] } as Estimate;

beforeEach(() => state.begin({}));

test("the list as it is now", () => {
  state.microphones.value = state.microphonesOf([listed, { ...listed, name: "c", position_m: null }]);
  expect(state.microphones.value.map(({ row, isKnown }) => [row, isKnown])).toEqual([[0, true], [1, false]]);
  expect(state.isEdited.value).toBe(false);
  state.edit("a,b", { position: [1, 2, 4] });
  expect(state.isEdited.value).toBe(true);
  expect(state.listText(state.microphones.value).split("\n")).toEqual([
    "name,x,y,z,sigma_m,offset_s,drift_ppm,clock_sigma_s", '"a,b",1,2,4,0,0.5,0,0', "c,,,,0,0.5,0,0", "",
  ]);
  state.undoEdits();
  expect(state.isEdited.value).toBe(false);
});

test("the answer to a change is shown of its own window alone, and only while there is a change", () => {
  state.begin({ answers: { method: "m", estimates: [estimate, { ...estimate, start_s: 1, end_s: 2 }] } });
  state.microphones.value = state.microphonesOf([listed]);
  const other = { ...estimate, verdict: "abstain" } as Estimate;
  state.asked.value = { from_s: 0, estimate: other, milliseconds: 1 };
  expect(state.shown.value).toBe(state.answers.value!.estimates[0]);
  state.edit("a,b", { isOn: false });
  expect(state.shown.value).toBe(other);
  state.time.value = 1.5;
  expect(state.shown.value).toBe(state.answers.value!.estimates[1]);
});

test("a row a source, or one without places", () => {
  const source = { position_m: [1, 2, 3], covariance_m2: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], radius90_m: 0.5, score: 0.25 } as Estimate["sources"][0];
  state.begin({ answers: { method: "m", estimates: [estimate, { ...estimate, sources: [source, { ...source, track: 7 }] }] } });
  expect(csvText().split("\n").slice(1, 4)).toEqual([
    "0,1,ok,dead:x,,,,,,,", "0,1,ok,dead:x,1,1,2,3,0.5,0.25,", "0,1,ok,dead:x,2,1,2,3,0.5,0.25,7",
  ]);
});

test("the box is the room, or holds what is sure", () => {
  expect(state.roomOf("0,0,0,6,5,3")).toEqual([[0, 0, 0], [6, 5, 3]]);
  expect([state.roomOf("1,2"), state.roomOf("a,0,0,1,1,1"), state.roomOf(undefined)]).toEqual([null, null, null]);
  state.microphones.value = state.microphonesOf([listed, { ...listed, name: "d", position_m: [11, 2, 3] }]);
  expect(state.box.value).toEqual([[0, 1, 2], [12, 3, 4]]);
});

test("who was switched off when it was located again can be switched on", () => {
  const before = state.microphonesOf([listed, { ...listed, name: "c" }, { ...listed, name: "d" }]);
  before[1] = { ...before[1], isOn: false };
  state.microphones.value = state.relisted(before, [listed, { ...listed, name: "d", position_m: [7, 7, 7] }]);
  expect(state.isEdited.value).toBe(false);
  expect(state.microphones.value.map(({ row, isOn, listed: at }) => [row, isOn, at![0]])).toEqual([[0, true, 1], [1, false, 1], [2, true, 7]]);
  state.edit("c", { isOn: true });
  expect(state.isEdited.value).toBe(true);
  state.undoEdits();
  expect(state.microphones.value[1].isOn).toBe(false);
});

test("a clock that drifts is told as it is at the window", () => {
  const drifting = state.microphonesOf([{ ...listed, drift_ppm: 50, offset_s: 0.5 }]);
  expect(Number(state.listText(drifting, 600).split("\n")[1].split(",")[6])).toBeCloseTo(0.53);
});

test("what was opened before ends, and leaves nothing", () => {
  const seen: string[] = [];
  state.atEnd(() => seen.push("end"));
  state.options.value = { room: "0,0,0,1,1,1" };
  state.slice.value = { axis: 2, at_m: 1 };
  const opened = state.opened.value;
  state.begin({});
  state.begin({});
  expect([seen, state.options.value, state.slice.value, state.opened.value - opened]).toEqual([["end"], {}, null, 2]);
});
