/** Raised inside this folder when a header goes on beyond the bytes read so far. */
export class NeedMore extends Error {}

/** Raised inside this folder when a header cannot be right, whatever follows. */
export class Malformed extends Error {}

/** Metadata as JavaScript values; whole numbers beyond 2^53 lose their last digits. */
export type MetadataValue = number | boolean | string | readonly MetadataValue[];

/** Reads GGUF's little-endian values from the first bytes of a file that has `fileSize`. */
export class Cursor {
  at = 0;
  readonly #view: DataView;

  constructor(
    private readonly bytes: Buffer,
    private readonly fileSize: number,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes of the file that have not been passed yet. */
  get left(): number {
    return this.fileSize - this.at;
  }

  take(length: number): number {
    if (length > this.left) throw new Malformed(`it asks for ${length} bytes at byte ${this.at} of ${this.fileSize}`);
    if (this.at + length > this.bytes.length) throw new NeedMore();
    const from = this.at;
    this.at += length;
    return from;
  }

  u32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  /** A count or position. */
  u64(): number {
    const value = this.#view.getBigUint64(this.take(8), true);
    if (value > Number.MAX_SAFE_INTEGER) throw new Malformed(`it has the count ${value} at byte ${this.at - 8}`);
    return Number(value);
  }

  /** How many things follow, each of at least `bytes` bytes. */
  count(bytes: number): number {
    const count = this.u64();
    if (count * bytes > this.left)
      throw new Malformed(`it announces ${count} entries at byte ${this.at - 8}, more than the file can hold`);
    return count;
  }

  text(): string {
    const length = this.u64();
    const from = this.take(length);
    return this.bytes.toString('utf8', from, from + length);
  }

  value(type = this.u32()): MetadataValue {
    const reader = VALUES[type];
    if (reader) return reader(this.#view, this.take(reader.bytes));
    if (type === TEXT) return this.text();
    if (type === ARRAY) return this.array();
    throw new Malformed(`it has a value of the unknown type ${type} before byte ${this.at}`);
  }

  private array(): MetadataValue[] {
    const type = this.u32();
    if (type === ARRAY) throw new Malformed(`it has an array of arrays at byte ${this.at}`);
    const count = this.count(VALUES[type]?.bytes ?? 8);
    const values: MetadataValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(type));
    return values;
  }
}

const TEXT = 8;
const ARRAY = 9;

type Reader = ((view: DataView, at: number) => MetadataValue) & { readonly bytes: number };
const reader = (bytes: number, read: (view: DataView, at: number) => MetadataValue): Reader =>
  Object.assign(read, { bytes });

/** Fixed-size value types by number. */
const VALUES: Readonly<Record<number, Reader>> = {
  0: reader(1, (view, at) => view.getUint8(at)),
  1: reader(1, (view, at) => view.getInt8(at)),
  2: reader(2, (view, at) => view.getUint16(at, true)),
  3: reader(2, (view, at) => view.getInt16(at, true)),
  4: reader(4, (view, at) => view.getUint32(at, true)),
  5: reader(4, (view, at) => view.getInt32(at, true)),
  6: reader(4, (view, at) => view.getFloat32(at, true)),
  7: reader(1, (view, at) => view.getUint8(at) !== 0),
  10: reader(8, (view, at) => Number(view.getBigUint64(at, true))),
  11: reader(8, (view, at) => Number(view.getBigInt64(at, true))),
  12: reader(8, (view, at) => view.getFloat64(at, true)),
};
