import { expect, test } from "vitest";
import { envelopes, takeOf, wav } from "../src/model/take";

const take = { name: "x.wav", rate: 8000, rows: [Float32Array.of(0, 0.5, -1, 0), Float32Array.of(1, 2, 3, 4)] };

test("a part of some channels as WAV", async () => {
  const bytes = await wav(take, [1, 0], 1 / 8000, 3 / 8000).arrayBuffer();
  expect(takeOf(bytes, "").rate).toBe(8000);
  expect([...new Float32Array(bytes.slice(44))]).toEqual([2, 0.5, 3, -1]);
  const view = new DataView(bytes);
  expect([view.getUint16(20, true), view.getUint16(22, true), view.getUint32(40, true), bytes.byteLength]).toEqual([3, 2, 16, 60]);
  expect((await wav(take, [0]).arrayBuffer()).byteLength).toBe(44 + 16);
});

test("what the service heard", async () => {
  const again = takeOf(await wav(take, [0, 1]).arrayBuffer(), "y.wav");
  expect([again.name, again.rate, ...again.rows.map((row) => [...row])]).toEqual(["y.wav", 8000, [0, 0.5, -1, 0], [1, 2, 3, 4]]);
  const whole = new Uint8Array(await wav(take, [1]).arrayBuffer());
  const odd = Uint8Array.from([...whole.slice(0, 36), ...[..."PEAK"].map((c) => c.charCodeAt(0)), 3, 0, 0, 0, 9, 9, 9, 0, ...whole.slice(36)]);
  expect([...takeOf(odd.buffer, "z").rows[0]]).toEqual([1, 2, 3, 4]); // a chunk of odd length is followed by a byte
  expect(takeOf(new ArrayBuffer(12), "w").rows).toEqual([]);
});

test("how loud it is where", () => {
  const told = envelopes(take, 2);
  expect([...told.rows[0], ...told.rows[1]]).toEqual([32, 64, 128, 255]);
});
