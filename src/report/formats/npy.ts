/**
 * NumPy's array file, format 1.0: magic, version, header length, a Python dict padded so that the data start at a multiple of 64,
 * then the data in C order, little-endian.
 */
import { invariant, refuse } from '../../errors.js';

export type NpyArray = Float64Array | Float32Array | Uint8Array | Int32Array;

const KINDS = [
  { dtype: '<f8', of: Float64Array },
  { dtype: '<f4', of: Float32Array },
  { dtype: '|u1', of: Uint8Array },
  { dtype: '<i4', of: Int32Array },
] as const;

export type Dtype = (typeof KINDS)[number]['dtype'];

const MAGIC = '\u0093NUMPY\u0001\u0000';
const PREFIX = MAGIC.length + 2; // + u16 header length
const ALIGNMENT = 64;

export const dtypeOf = (data: NpyArray): Dtype => KINDS.find(({ of }) => data instanceof of)!.dtype;

const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Writes an array whose length is the product of `shape`. */
export const encodeNpy = (data: NpyArray, shape: readonly number[]): Uint8Array => {
  invariant(data.length === size(shape), `${data.length} values do not fill shape [${shape.join(', ')}]`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${dtypeOf(data)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padding = ALIGNMENT - ((PREFIX + dict.length + 1) % ALIGNMENT);
  const header = `${dict}${' '.repeat(padding % ALIGNMENT)}\n`;
  const file = Buffer.alloc(PREFIX + header.length + data.byteLength);
  file.write(MAGIC, 0, 'latin1');
  file.writeUInt16LE(header.length, MAGIC.length);
  file.write(header, PREFIX, 'latin1');
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), PREFIX + header.length);
  return file;
};

const HEADER = /^\{'descr': '([^']+)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \}\s*$/;

/** Reads an array of one of the four kinds written here; `file` names it in a refusal. */
export const decodeNpy = (
  bytes: Uint8Array,
  file: string,
): { readonly data: NpyArray; readonly shape: readonly number[] } => {
  const fail = (what: string): never =>
    refuse('report/npy', `${file}: ${what}; expected a NumPy 1.0 file as Thevenin writes it`);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.toString('latin1', 0, MAGIC.length) !== MAGIC || buffer.length < PREFIX)
    fail('not an npy file of version 1.0');
  const start = PREFIX + buffer.readUInt16LE(MAGIC.length);
  const match = HEADER.exec(buffer.toString('latin1', PREFIX, start));
  if (match === null) return fail('its header cannot be read');
  const [, descr = '', fortran, lengths = ''] = match;
  const kind = KINDS.find(({ dtype }) => dtype === descr);
  if (kind === undefined || fortran === 'True')
    return fail(`holds ${descr}${fortran === 'True' ? ' in Fortran order' : ''}`);
  const shape = lengths
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number);
  if (buffer.length - start !== size(shape) * kind.of.BYTES_PER_ELEMENT) {
    fail(`${buffer.length - start} bytes of data do not fill shape [${shape.join(', ')}] of ${descr}`);
  }
  const copy = new Uint8Array(buffer.subarray(start)); // a buffer of its own, aligned
  return { data: new kind.of(copy.buffer), shape };
};
