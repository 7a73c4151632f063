/** How numbers lie in a file: blocks of equal size, each holding equally many values. Everything is little-endian. */
export interface Encoding {
  readonly name: string;
  readonly blockElements: number;
  readonly blockBytes: number;
  /** Widens whole blocks to float32; `out` has room for exactly the values in `bytes`. */
  decode(bytes: DataView, out: Float32Array): void;
}

/** An encoding whose blocks are single values. */
export const scalar = (name: string, size: number, valueAt: (bytes: DataView, at: number) => number): Encoding => ({
  name,
  blockElements: 1,
  blockBytes: size,
  decode(bytes, out) {
    for (let i = 0; i < out.length; i++) out[i] = valueAt(bytes, i * size);
  },
});

/** A quantised encoding: `decodeBlock(bytes, at, out, to)` writes the 32 values of the block at byte `at`. */
export const blocksOf32 = (
  name: string,
  blockBytes: number,
  decodeBlock: (bytes: DataView, at: number, out: Float32Array, to: number) => void,
): Encoding => ({
  name,
  blockElements: 32,
  blockBytes,
  decode(bytes, out) {
    for (let at = 0, to = 0; to < out.length; at += blockBytes, to += 32) decodeBlock(bytes, at, out, to);
  },
});
