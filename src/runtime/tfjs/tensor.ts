import { refuse } from '../../errors.js';
import type { DType } from '../../program/index.js';
import type { Constant, Tensor } from '../types.js';
import type { LoadedBackend, TfTensor } from './types.js';

/** An array on the device. */
export class TfjsTensor implements Tensor {
  readonly dtype: DType;

  constructor(
    private readonly backend: LoadedBackend,
    private readonly tensor: TfTensor,
  ) {
    this.dtype = tensor.dtype === 'int32' ? 'int' : 'float';
  }

  get shape(): readonly number[] {
    return this.tensor.shape;
  }

  /** What tfjs's ops take. */
  get tf(): TfTensor {
    if (this.tensor.isDisposed) throw new Error(`a tensor [${this.shape.join(', ')}] was used after it was disposed`);
    return this.tensor;
  }

  async read(): Promise<Float32Array | Int32Array> {
    const values = (await this.tf.data()) as Float32Array | Int32Array;
    const [fault] = this.backend.faults;
    if (fault !== undefined)
      refuse(
        'runtime/device',
        `${this.backend.title}: ${fault}; start again with less memory, or with another runtime`,
      );
    return values;
  }

  dispose(): void {
    if (!this.tensor.isDisposed) this.tensor.dispose();
  }
}

export function upload(
  { tf }: LoadedBackend,
  values: Constant,
  of: { shape: readonly number[]; dtype: DType },
): TfTensor {
  const shape = [...of.shape];
  if (of.dtype === 'int')
    return tf.tensor(values instanceof Int32Array ? values : Int32Array.from(values), shape, 'int32');
  return tf.tensor(values instanceof Float32Array ? values : Float32Array.from(values), shape, 'float32');
}
