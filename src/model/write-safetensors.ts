import writeFileAtomic from 'write-file-atomic';
import { invariant, refuse } from '../errors.js';

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
