/** A recording in the browser: its samples, a microphone a row, in the order of the list. */

export interface Take {
  name: string;
  rate: number;
  rows: Float32Array[];
}

export const lengthOf = (take: Take): number => take.rows[0]?.length ?? 0;
export const durationOf = (take: Take): number => lengthOf(take) / take.rate;

/** A WAV file of 32-bit floats, as the service writes what it heard. */
export function takeOf(bytes: ArrayBuffer, name: string): Take {
  const view = new DataView(bytes);
  let [channels, rate] = [1, 16000];
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const [tag, size] = [view.getUint32(at), view.getUint32(at + 4, true)];
    if (tag === FORMAT) [channels, rate] = [view.getUint16(at + 10, true), view.getUint32(at + 12, true)];
    if (tag === DATA) return { name, rate, rows: rowsOf(new Float32Array(bytes.slice(at + 8, at + 8 + size)), channels) };
    at += 8 + size + (size & 1);
  }
  return { name, rate, rows: [] };
}

const [FORMAT, DATA] = [0x666d7420, 0x64617461]; // "fmt ", "data"

function rowsOf(frames: Float32Array, channels: number): Float32Array[] {
  const length = Math.floor(frames.length / channels);
  return Array.from({ length: channels }, (_, k) => {
    const row = new Float32Array(length);
    for (let n = 0, at = k; n < length; n++, at += channels) row[n] = frames[at];
    return row;
  });
}

/** These rows from start to end, as a WAV file of 32-bit floats. */
export function wav(take: Take, rows: number[], start_s = 0, end_s = Infinity): Blob {
  const first = Math.max(0, Math.round(start_s * take.rate));
  const last = Math.min(lengthOf(take), Math.round(end_s * take.rate));
  const count = rows.length;
  const samples = new Float32Array(Math.max(0, last - first) * count);
  rows.forEach((row, k) => {
    const heard = take.rows[row];
    for (let n = first, at = k; n < last; n++, at += count) samples[at] = heard[n];
  });
  return new Blob([wavHeader(count, take.rate, samples.byteLength), samples], { type: "audio/wav" });
}

function wavHeader(channels: number, rate: number, bytes: number): ArrayBuffer {
  const header = new DataView(new ArrayBuffer(44));
  const text = (at: number, word: string) => [...word].forEach((c, k) => header.setUint8(at + k, c.charCodeAt(0)));
  text(0, "RIFF");
  header.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 3, true); // floats
  header.setUint16(22, channels, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * channels * 4, true);
  header.setUint16(32, channels * 4, true);
  header.setUint16(34, 32, true);
  text(36, "data");
  header.setUint32(40, bytes, true);
  return header.buffer;
}

/** How loud each row is in each of `count` equal parts: the largest sample, as a byte; the loudest of all is 255. */
export interface Envelopes {
  duration_s: number;
  count: number;
  rows: Uint8Array[];
}

export function envelopes(take: Take, count = 2000): Envelopes {
  const peaks = take.rows.map((row) => peaksOf(row, count));
  const loudest = peaks.reduce((most, row) => row.reduce((a, b) => Math.max(a, b), most), 1e-9);
  const rows = peaks.map((row) => Uint8Array.from(row, (peak) => Math.round((255 * peak) / loudest)));
  return { duration_s: durationOf(take), count, rows };
}

function peaksOf(row: Float32Array, count: number): Float32Array {
  const peaks = new Float32Array(count);
  for (let n = 0; n < row.length; n++) {
    const part = Math.floor((n * count) / row.length);
    const size = Math.abs(row[n]);
    if (size > peaks[part]) peaks[part] = size;
  }
  return peaks;
}
