import { expect, test } from "vitest";
import { envelopes, rateOf, wav } from "../src/model/take";

const take = { name: "x.wav", rate: 8000, channels: [Float32Array.of(0, 0.5, -1, 0), Float32Array.of(1, 2, 3, 4)] };

test("a part of some channels as WAV", async () => {
  const bytes = await wav(take, [1, 0], 1 / 8000, 3 / 8000).arrayBuffer();
  expect(rateOf(bytes)).toBe(8000);
  expect([...new Float32Array(bytes.slice(44))]).toEqual([2, 0.5, 3, -1]);
  const view = new DataView(bytes);
  expect([view.getUint16(20, true), view.getUint16(22, true), view.getUint32(40, true), bytes.byteLength]).toEqual([3, 2, 16, 60]);
  expect((await wav(take, [0]).arrayBuffer()).byteLength).toBe(44 + 16);
});

test("the rate of files", () => {
  const flac = new Uint8Array(64);
  flac.set([0x66, 0x4c, 0x61, 0x43]);
  flac.set([0x03, 0xe8, 0x0e], 18); // 16000 << 4, and channels
  expect(rateOf(flac.buffer)).toBe(16000);
  expect(rateOf(new ArrayBuffer(4))).toBe(48000);
  const extra = new DataView(new ArrayBuffer(80));
  [..."RIFF....WAVEJUNK"].forEach((c, k) => extra.setUint8(k, c.charCodeAt(0)));
  extra.setUint32(16, 3, true); // an odd chunk is followed by a byte
  [..."fmt "].forEach((c, k) => extra.setUint8(24 + k, c.charCodeAt(0)));
  extra.setUint32(24 + 12, 44100, true);
  expect(rateOf(extra.buffer)).toBe(44100);
});

test("how loud it is where", () => {
  const told = envelopes(take, 2);
  expect([...told.rows[0], ...told.rows[1]]).toEqual([32, 64, 128, 255]);
});
