import writeFileAtomic from 'write-file-atomic';
import { invariant, refuse } from '../errors.js';
import { isObject } from './json-file.js';
import type { RangeFile } from './range-file.js';
import { openRangeFile } from './range-file.js';
import type { StoredTensor } from './tensor-store.js';

/**
 * safetensors: u64 N, then N bytes of JSON `{name: {dtype, shape, data_offsets: [begin, end]}, __metadata__?}`, then the
 * data, offsets counted from its start; no holes, no overlaps, no duplicate names, C order, little-endian.
 */
const HEADER_LIMIT = 100_000_000;

/** Bits per value of every dtype the format knows; which of them can be read is ENCODINGS' affair. */
const DTYPE_BITS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6 },
    ...{ I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, I64: 64, U64: 64, F64: 64, C64: 64 },
  }),
);

interface OpenSafetensors {
  readonly file: RangeFile;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Opens a file and reads its header, not its data.
 * @throws file/missing, file/unreadable, weights/malformed
 */
export const openSafetensors = async (path: string): Promise<OpenSafetensors> => {
  const file = await openRangeFile(path);
  try {
    return { file, tensors: await readHeader(file) };
  } catch (error) {
    await file.close();
    throw error;
  }
};

const malformed = (file: RangeFile, what: string): never =>
  refuse('weights/malformed', `${file.path} is not a sound safetensors file: ${what}; get the file again`);

const readHeader = async (file: RangeFile): Promise<Map<string, StoredTensor>> => {
  if (file.size < 10) malformed(file, `it has ${file.size} bytes`);
  const length = (await file.read(0, 8)).readBigUInt64LE();
  if (length > HEADER_LIMIT || length > file.size - 8)
    malformed(file, `its header claims ${length} bytes of a file of ${file.size}`);
  const header = parseHeader(file, await file.read(8, Number(length)));
  const dataStart = 8 + Number(length);
  const tensors = new Map<string, StoredTensor>();
  const spans: Span[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isObject(entry) || Object.values(entry).some((value) => typeof value !== 'string'))
        malformed(file, '__metadata__ is not a map from text to text');
      continue;
    }
    const { dtype, shape, begin, end } = parseEntry(file, name, entry);
    spans.push({ name, begin, end });
    tensors.set(name, { file, shape, encoding: dtype, offset: dataStart + begin });
  }
  checkCover(file, spans, file.size - dataStart);
  return tensors;
};

const parseHeader = (file: RangeFile, bytes: Buffer): Record<string, unknown> => {
  if (bytes[0] !== 0x7b) malformed(file, "its header does not begin with '{'");
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const header: unknown = JSON.parse(text);
    const twice = duplicateKey(text);
    if (twice !== null) malformed(file, `its header has the key ${twice} twice`);
    return header as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    return malformed(file, `its header is not JSON (${error.message.split('\n')[0]})`);
  }
};

/** A key that an object of this (valid) JSON text has twice; JSON.parse would silently keep the last. */
const duplicateKey = (json: string): string | null => {
  const open: Set<string>[] = [];
  for (const [token, key] of json.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")\s*:|"[^"\\]*(?:\\.[^"\\]*)*"|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (key !== undefined) {
      const name = JSON.parse(key) as string;
      if (open.at(-1)?.has(name)) return key;
      open.at(-1)?.add(name);
    }
  }
  return null;
};

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const parseEntry = (file: RangeFile, name: string, entry: unknown): Entry => {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  const bits = DTYPE_BITS.get(String(dtype)) ?? malformed(file, `'${name}' has the unknown dtype ${String(dtype)}`);
  if (!Array.isArray(shape) || !shape.every(isCount))
    return malformed(file, `the shape of '${name}' is no list of sizes`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return malformed(file, `the data_offsets of '${name}' are not two positions`);
  const [begin = 0, end = 0] = offsets;
  const need = (shape.reduce((product, size) => product * size, 1) * bits) / 8;
  if (end - begin !== need)
    malformed(file, `'${name}' has ${end - begin} bytes where ${String(dtype)} [${shape.join(', ')}] needs ${need}`);
  return { dtype: String(dtype), shape, begin, end };
};

interface Span {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

/** The tensors must cover the data exactly. */
const checkCover = (file: RangeFile, spans: readonly Span[], size: number): void => {
  let at = 0;
  for (const { name, begin, end } of spans.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      malformed(
        file,
        `'${name}' begins at byte ${begin} of the data where ${at} was expected (${begin < at ? 'overlap' : 'hole'})`,
      );
    at = end;
  }
  if (at !== size)
    malformed(
      file,
      `its tensors end at byte ${at} of the data, which has ${size} (${at > size ? 'cut short' : 'trailing bytes'})`,
    );
};

/**
 * Writes float32 tensors as a safetensors file, whole or not at all. The data begins at a multiple of 8 bytes.
 * @throws file/unwritable
 */
export const writeSafetensors = async (
  path: string,
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> => {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  const data: Buffer[] = [];
  let at = 0;
  for (const [name, { shape, data: values }] of Object.entries(tensors)) {
    invariant(
      values.length === shape.reduce((product, size) => product * size, 1),
      `tensor '${name}' has ${values.length} values for shape [${shape.join(', ')}]`,
    );
    header[name] = { dtype: 'F32', shape, data_offsets: [at, (at += 4 * values.length)] };
    data.push(littleEndian(values));
  }
  const json = Buffer.from(JSON.stringify(header));
  const padding = Buffer.alloc((8 - (json.length % 8)) % 8, ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length + padding.length));
  try {
    await writeFileAtomic(path, Buffer.concat([length, json, padding, ...data]));
  } catch (error) {
    refuse(
      'file/unwritable',
      `${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)}); check the folder, its permissions and the disk's space`,
      error,
    );
  }
};

const littleEndian = (values: Float32Array): Buffer => {
  const bytes = Buffer.allocUnsafe(4 * values.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  return bytes;
};
