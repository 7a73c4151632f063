import pLimit from 'p-limit';
import { refuse } from '../errors.js';
import type { Encoding } from './encodings/index.js';
import { ENCODINGS } from './encodings/index.js';
import type { Layout } from './layout.js';
import { offsetTable } from './layout.js';
import type { RangeFile } from './range-file.js';
import { digestFiles } from './range-file.js';

/** A tensor as it lies in a file. */
export interface StoredTensor {
  readonly file: RangeFile;
  readonly shape: readonly number[];
  /** name of its number format; not every name is one that can be read */
  readonly encoding: string;
  /** first byte, from the start of the file */
  readonly offset: number;
}

/** The tensors of one or several open files. */
export interface TensorStore {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /**
   * The weight that `layout` picks out of a stored tensor, float32.
   * @throws weights/missing, weights/type, weights/shape, weights/non-finite
   */
  read(name: string, layout: Layout): Promise<Float32Array>;
  /** SHA-256 over the files, in the order of their names. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

/** Bounds the temporaries: at most this many pieces are in memory at once, each of at most this many values (or one row). */
const READS_AT_ONCE = 4;
const PIECE_ELEMENTS = 1 << 20;

export const tensorStore = (tensors: ReadonlyMap<string, StoredTensor>, files: readonly RangeFile[]): TensorStore => {
  const limit = pLimit(READS_AT_ONCE);
  const paths = files.map((file) => file.path).sort();
  return {
    tensors,
    async read(name, layout) {
      const tensor = checkStored(tensors, name, layout);
      const [rowFactors = [], ...rest] = layout.factors.length > 1 ? layout.factors : [[], ...layout.factors];
      const plan = { rows: offsetTable(rowFactors), columns: offsetTable(rest.flat()) };
      const out = new Float32Array(layout.shape.reduce((product, size) => product * size, 1));
      const pieces = wantedPieces(plan.rows, Math.max(1, Math.floor(PIECE_ELEMENTS / plan.columns.length)));
      await Promise.all(
        pieces.map((piece) =>
          limit(async () => scatter(await readRows(name, tensor, piece, plan.columns.length), piece, plan, out)),
        ),
      );
      return out;
    },
    digest: () => digestFiles(paths),
    close: async () => void (await Promise.all(files.map((file) => file.close()))),
  };
};

/**
 * The stored tensor, once it is sure that it is there, of the layout's shape, and of a type that can be read.
 * @throws weights/missing, weights/type, weights/shape
 */
export const checkStored = (
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  layout: Layout,
): { tensor: StoredTensor; encoding: Encoding } => {
  const tensor =
    tensors.get(name) ??
    refuse('weights/missing', `no weight '${name}' in the model's files; the file or its config is incomplete`);
  const { path } = tensor.file;
  const encoding =
    ENCODINGS.get(tensor.encoding) ??
    refuse(
      'weights/type',
      `'${name}' in ${path} is stored as ${tensor.encoding}; convert it to one of ${[...ENCODINGS.keys()].join(', ')}`,
    );
  const { stored } = layout;
  if (stored.length !== tensor.shape.length || stored.some((size, axis) => size !== tensor.shape[axis]))
    refuse(
      'weights/shape',
      `'${name}' in ${path} has shape [${tensor.shape.join(', ')}], but the model's config asks for [${stored.join(', ')}]; the two do not belong together`,
    );
  return { tensor, encoding };
};

/** Consecutive stored rows that are wanted. */
interface Piece {
  readonly first: number;
  readonly count: number;
}

const wantedPieces = (rows: Float64Array, rowsAtOnce: number): Piece[] => {
  const pieces: Piece[] = [];
  for (let first = 0; first < rows.length;) {
    if ((rows[first] ?? -1) < 0) {
      first++;
      continue;
    }
    let count = 1;
    while (count < rowsAtOnce && (rows[first + count] ?? -1) >= 0) count++;
    pieces.push({ first, count });
    first += count;
  }
  return pieces;
};

const readRows = async (
  name: string,
  { tensor, encoding }: { tensor: StoredTensor; encoding: Encoding },
  { first, count }: Piece,
  rowLength: number,
): Promise<Float32Array> => {
  const rowBytes = (rowLength / encoding.blockElements) * encoding.blockBytes;
  const bytes = await tensor.file.read(tensor.offset + first * rowBytes, count * rowBytes);
  const values = new Float32Array(count * rowLength); // [count, rowLength]
  encoding.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), values);
  const bad = firstNonFinite(values);
  if (bad !== -1)
    refuse(
      'weights/non-finite',
      `'${name}' in ${tensor.file.path} holds ${values[bad]} (value ${first * rowLength + bad}); the file is damaged or the model diverged`,
    );
  return values;
};

/** By their bits: all of the exponent's are set in infinities and NaN. */
const firstNonFinite = (values: Float32Array): number => {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) if (((bits[i] as number) & 0x7f800000) === 0x7f800000) return i;
  return -1;
};

interface Plan {
  /** per stored row and per stored column: offset in the weight, -1 where not wanted; they add up */
  readonly rows: Float64Array;
  readonly columns: Float64Array;
}

const scatter = (values: Float32Array, { first, count }: Piece, { rows, columns }: Plan, out: Float32Array): void => {
  const width = columns.length;
  if (columns.every((offset, column) => offset === column)) {
    for (let r = 0; r < count; r++) out.set(values.subarray(r * width, (r + 1) * width), rows[first + r]);
    return;
  }
  // A few columns at a time: where the matrix is transposed both reads and writes then stay in the caches.
  for (let from = 0; from < width; from += TILE)
    for (let r = 0; r < count; r++) {
      const row = rows[first + r] as number;
      const end = Math.min(from + TILE, width);
      for (let c = from; c < end; c++) {
        const column = columns[c] as number;
        if (column >= 0) out[row + column] = values[r * width + c] as number;
      }
    }
};

const TILE = 16;
