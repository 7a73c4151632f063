import { refuse } from '../../errors.js';
import { ENCODINGS } from '../encodings/index.js';
import type { RangeFile } from '../range-file.js';
import { openRangeFile } from '../range-file.js';
import type { StoredTensor } from '../tensor-store.js';
import type { MetadataValue } from './cursor.js';
import { Cursor, Malformed, NeedMore } from './cursor.js';
import { TENSOR_TYPES } from './types.js';

export interface OpenGguf {
  readonly file: RangeFile;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Opens a GGUF file (version 2 or 3, little-endian) and reads its metadata and tensor list, not its data.
 * @throws file/missing, file/unreadable, weights/malformed
 */
export const openGguf = async (path: string): Promise<OpenGguf> => {
  const file = await openRangeFile(path);
  try {
    return { file, ...(await readHeader(file)) };
  } catch (error) {
    await file.close();
    if (!(error instanceof Malformed)) throw error;
    return refuse('weights/malformed', `${path} is not a sound GGUF file: ${error.message}; get the file again`, error);
  }
};

const FIRST_READ = 1 << 20;
/** A header is mostly the vocabulary; the largest known are some 20 MB. */
const HEADER_LIMIT = 1 << 28;

type Header = Omit<OpenGguf, 'file'>;

/** Headers do not say how long they are: reads twice as much until it is enough. */
const readHeader = async (file: RangeFile): Promise<Header> => {
  for (let size = FIRST_READ; ; size *= 2) {
    const bytes = await file.read(0, Math.min(size, file.size));
    try {
      return parseHeader(file, new Cursor(bytes, file.size));
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error;
      if (size >= HEADER_LIMIT) throw new Malformed(`its header is longer than ${HEADER_LIMIT} bytes`);
    }
  }
};

const parseHeader = (file: RangeFile, cursor: Cursor): Header => {
  const magic = cursor.u32();
  if (magic !== 0x46554747) throw new Malformed("it does not begin with 'GGUF'");
  const version = cursor.u32();
  if (version !== 2 && version !== 3) throw new Malformed(`it is of version ${version}, not 2 or 3 (little-endian)`);
  const tensorCount = cursor.count(24);
  const metadata = parseMetadata(cursor);
  const infos = Array.from({ length: tensorCount }, () => parseInfo(cursor));
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || alignment < 8 || alignment % 8 !== 0)
    throw new Malformed(`its alignment is ${String(alignment)}, not a multiple of 8`);
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  checkSpans(infos, { alignment, size: file.size - dataStart });
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape, encoding, offset } of infos) {
    if (tensors.has(name)) throw new Malformed(`it has the tensor '${name}' twice`);
    tensors.set(name, { file, shape, encoding, offset: dataStart + offset });
  }
  return { metadata, tensors };
};

const parseMetadata = (cursor: Cursor): Map<string, MetadataValue> => {
  const metadata = new Map<string, MetadataValue>();
  for (let left = cursor.count(13); left > 0; left--) {
    const key = cursor.text();
    if (metadata.has(key)) throw new Malformed(`it has the key '${key}' twice`);
    metadata.set(key, cursor.value());
  }
  return metadata;
};

interface Info {
  readonly name: string;
  /** C order: GGUF lists the fastest dimension first */
  readonly shape: readonly number[];
  readonly encoding: string;
  readonly offset: number;
}

const parseInfo = (cursor: Cursor): Info => {
  const name = cursor.text();
  const rank = cursor.u32();
  if (rank > 4) throw new Malformed(`the tensor '${name}' has ${rank} dimensions`);
  const shape = Array.from({ length: rank }, () => cursor.u64()).reverse();
  const type = cursor.u32();
  return { name, shape, encoding: TENSOR_TYPES.get(type) ?? `type ${type}`, offset: cursor.u64() };
};

const checkSpans = (infos: readonly Info[], { alignment, size }: { alignment: number; size: number }): void => {
  let previous = { name: '', end: 0 };
  for (const info of infos.toSorted((a, b) => a.offset - b.offset)) {
    const { name, offset } = info;
    const end = offset + byteLength(info);
    if (offset % alignment !== 0)
      throw new Malformed(`the tensor '${name}' begins at byte ${offset} of the data, no multiple of ${alignment}`);
    if (offset < previous.end) throw new Malformed(`the tensors '${previous.name}' and '${name}' overlap`);
    if (end > size)
      throw new Malformed(
        `the tensor '${name}' ends at byte ${end} of the data, which has ${Math.max(0, size)} (cut short)`,
      );
    previous = { name, end };
  }
};

/** 0 for a type of unknown block size, which cannot be read anyway. */
const byteLength = ({ name, shape, encoding: type }: Info): number => {
  const encoding = ENCODINGS.get(type);
  if (!encoding) return 0;
  const elements = shape.reduce((product, size) => product * size, 1);
  if ((shape.at(-1) ?? 1) % encoding.blockElements !== 0)
    throw new Malformed(`the rows of '${name}' [${shape.join(', ')}] are no whole ${type} blocks`);
  return (elements / encoding.blockElements) * encoding.blockBytes;
};
