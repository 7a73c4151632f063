/** Reads tensors of small golden files; independent of the loaders under test. */
import { readFileSync } from 'node:fs';

const ARRAYS = { F64: Float64Array, F32: Float32Array, U8: Uint8Array, I32: Int32Array, I64: BigInt64Array } as const;

type Header = Record<
  string,
  { readonly dtype: keyof typeof ARRAYS; readonly shape: number[]; readonly data_offsets: [number, number] }
>;

const open = (file: string): { header: Header; data: Buffer } => {
  const bytes = readFileSync(file);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString()) as Header;
  return { header, data: bytes.subarray(8 + headerLength) };
};

const valuesOf = ({ header, data }: ReturnType<typeof open>, name: string) => {
  const { dtype, data_offsets } = header[name]!;
  const copy = new Uint8Array(data.subarray(...data_offsets)); // aligned
  return new ARRAYS[dtype](copy.buffer);
};

export const readTensor = (file: string, name: string): Float64Array | Float32Array | Uint8Array | Int32Array =>
  valuesOf(open(file), name) as Float64Array | Float32Array | Uint8Array | Int32Array;

export interface Table {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** All tensors of a file, by name, as numbers. */
export const openTables = (file: string): ((name: string) => Table) => {
  const opened = open(file);
  return (name) => {
    const values = Float64Array.from(valuesOf(opened, name) as ArrayLike<number | bigint>, Number);
    return { shape: opened.header[name]!.shape, values };
  };
};
