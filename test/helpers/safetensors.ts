/** Reads one tensor of a small golden file; independent of the loaders under test. */
import { readFileSync } from 'node:fs';

const ARRAYS = { F64: Float64Array, F32: Float32Array, U8: Uint8Array, I32: Int32Array } as const;

export const readTensor = (file: string, name: string): Float64Array | Float32Array | Uint8Array | Int32Array => {
  const bytes = readFileSync(file);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString()) as Record<
    string,
    { dtype: keyof typeof ARRAYS; data_offsets: [number, number] }
  >;
  const { dtype, data_offsets } = header[name]!;
  const data = bytes.subarray(8 + headerLength + data_offsets[0], 8 + headerLength + data_offsets[1]);
  const copy = new Uint8Array(data); // aligned
  return new ARRAYS[dtype](copy.buffer);
};
