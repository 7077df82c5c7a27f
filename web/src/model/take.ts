/** A recording in the browser: its samples, a channel a row, and what is made of them. */

export interface Take {
  name: string;
  rate: number;
  channels: Float32Array[];
}

export const durationOf = (take: Take): number => (take.channels[0]?.length ?? 0) / take.rate;

/** The rate that a WAV or FLAC file says it has; others are heard at 48 kHz. */
export function rateOf(bytes: ArrayBuffer): number {
  const view = new DataView(bytes);
  const tag = view.byteLength < 44 ? "" : String.fromCharCode(...new Uint8Array(bytes, 0, 4));
  if (tag === "RIFF" || tag === "RF64") return wavRate(view);
  if (tag === "fLaC") return (view.getUint8(18) << 12) | (view.getUint8(19) << 4) | (view.getUint8(20) >> 4);
  return 48000;
}

function wavRate(view: DataView): number {
  for (let at = 12; at + 16 < view.byteLength; ) {
    const isFormat = view.getUint32(at) === 0x666d7420; // "fmt "
    if (isFormat) return view.getUint32(at + 12, true);
    at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) & 1);
  }
  return 48000;
}

/** Files side by side, each a channel or several, in the order in which the service reads them. Rejects what no browser plays. */
export async function decoded(files: File[]): Promise<Take> {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const bytes = await Promise.all(sorted.map((file) => file.arrayBuffer()));
  const rate = Math.min(Math.max(rateOf(bytes[0]), 8000), 96000);
  const context = new OfflineAudioContext(1, 1, rate);
  const buffers = await Promise.all(bytes.map((each) => context.decodeAudioData(each)));
  const channels = buffers.flatMap((buffer) =>
    Array.from({ length: buffer.numberOfChannels }, (_, k) => buffer.getChannelData(k)),
  );
  return { name: sorted[0].name, rate, channels };
}

/** These channels from start to end, as a WAV file of 32-bit floats. */
export function wav(take: Take, channels: number[], start_s = 0, end_s = Infinity): Blob {
  const first = Math.max(0, Math.round(start_s * take.rate));
  const last = Math.min(take.channels[0].length, Math.round(end_s * take.rate));
  const count = channels.length;
  const samples = new Float32Array(Math.max(0, last - first) * count);
  channels.forEach((channel, k) => {
    const heard = take.channels[channel];
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

/** How loud each channel is in each of `count` equal parts: the largest sample, as a byte; the loudest of all is 255. */
export interface Envelopes {
  duration_s: number;
  count: number;
  rows: Uint8Array[];
}

export function envelopes(take: Take, count = 2000): Envelopes {
  const peaks = take.channels.map((channel) => peaksOf(channel, count));
  const loudest = Math.max(1e-9, ...peaks.map((row) => row.reduce((a, b) => Math.max(a, b), 0)));
  const rows = peaks.map((row) => Uint8Array.from(row, (peak) => Math.round((255 * peak) / loudest)));
  return { duration_s: durationOf(take), count, rows };
}

function peaksOf(channel: Float32Array, count: number): Float32Array {
  const peaks = new Float32Array(count);
  for (let n = 0; n < channel.length; n++) {
    const part = Math.floor((n * count) / channel.length);
    const size = Math.abs(channel[n]);
    if (size > peaks[part]) peaks[part] = size;
  }
  return peaks;
}
