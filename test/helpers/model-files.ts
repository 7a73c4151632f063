/** Writes model files by hand, right or wrong; independent of the loaders under test. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TheveninError } from '../../src/errors.js';
import type { ErrorCode } from '../../src/errors.js';

export const golden = (...parts: string[]): string =>
  path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'goldens', ...parts);

/** A folder that is gone after the test that `use` runs. */
export const inTemporaryFolder = async <T>(use: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'thevenin-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** Writes files (text, bytes, or an object as JSON) into a folder. */
export const writeFiles = (folder: string, files: Readonly<Record<string, string | Buffer | object>>): void => {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const plain = typeof content === 'string' || Buffer.isBuffer(content);
    writeFileSync(path.join(folder, name), plain ? content : JSON.stringify(content));
  }
};

/** The work must be refused with this code, in one line that contains every given piece. */
export const refused = async (work: Promise<unknown>, code: ErrorCode, ...pieces: string[]): Promise<void> => {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error, `expected a refusal with ${code}`).to.be.instanceOf(TheveninError);
  const { code: found, message, exit } = error as TheveninError;
  expect(found, message).to.equal(code);
  expect(exit).to.equal(2);
  expect(message).not.to.include('\n');
  for (const piece of pieces) expect(message).to.include(piece);
};

/** A safetensors file with this header, true or not. */
export const safetensorsBytes = (header: string | object, data: Buffer): Buffer => {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
};

export const floatBytes = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);

/** F32 tensors, all filled with one value, as a sound safetensors file. */
export const filledSafetensors = (shapes: Readonly<Record<string, readonly number[]>>, value = 0.5): Buffer => {
  let at = 0;
  const header: Record<string, object> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const bytes = 4 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, (at += bytes)] };
  }
  return safetensorsBytes(header, Buffer.from(new Float32Array(at / 4).fill(value).buffer));
};

type GgufValue = number | boolean | string | readonly number[] | readonly string[];

export interface GgufTensor {
  /** C order */
  readonly shape: readonly number[];
  readonly type: number;
  readonly data: Buffer;
}

/** A GGUF file (version 3). Numbers are u32 when whole, f32 otherwise. */
export const ggufBytes = (
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: Readonly<Record<string, GgufTensor>>,
): Buffer => {
  const head = [
    Buffer.from('GGUF'),
    u32(3),
    u64(Object.keys(tensors).length),
    u64(Object.keys(metadata).length),
    ...Object.entries(metadata).flatMap(([key, value]) => [text(key), u32(typeOf(value)), encode(value)]),
  ];
  let at = 0;
  const data: Buffer[] = [];
  for (const [name, tensor] of Object.entries(tensors)) {
    head.push(text(name), u32(tensor.shape.length), ...tensor.shape.toReversed().map(u64), u32(tensor.type), u64(at));
    data.push(padded(tensor.data));
    at += padded(tensor.data).length;
  }
  return Buffer.concat([padded(Buffer.concat(head)), ...data]);
};

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)]);

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

const typeOf = (value: GgufValue): number => {
  if (typeof value === 'string') return 8;
  if (typeof value === 'boolean') return 7;
  if (typeof value === 'object') return 9;
  return Number.isInteger(value) ? 4 : 6;
};

const encode = (value: GgufValue): Buffer => {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'boolean') return Buffer.of(Number(value));
  if (typeof value === 'object')
    return Buffer.concat([u32(typeOf(value[0] ?? 0)), u64(value.length), ...value.map(encode)]);
  return Number.isInteger(value) ? u32(value) : floatBytes(value);
};
