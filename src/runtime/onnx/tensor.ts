import type { Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-node';
import type { DType } from '../../program/index.js';
import { sizeOf } from '../bind.js';
import type { Constant, Tensor } from '../types.js';

export type Data = Float32Array | Int32Array;

/** An array in ordinary memory, wrapped once for onnxruntime. */
export class OnnxTensor implements Tensor {
  readonly dtype: DType;
  private wrapped: OrtTensor | null;

  constructor(
    private readonly Ort: TensorConstructor,
    data: Data,
    readonly shape: readonly number[],
  ) {
    this.dtype = data instanceof Int32Array ? 'int' : 'float';
    this.wrapped = data instanceof Int32Array ? new Ort('int32', data, shape) : new Ort('float32', data, shape);
  }

  /** What a session is fed, or writes to. */
  get ort(): OrtTensor {
    if (!this.wrapped) throw new Error(`a tensor [${this.shape.join(', ')}] was used after it was disposed`);
    return this.wrapped;
  }

  get data(): Data {
    return this.ort.data as Data;
  }

  /** Another tensor over part of the same memory. */
  view(start: number, shape: readonly number[]): OnnxTensor {
    return new OnnxTensor(this.Ort, this.data.subarray(start, start + sizeOf(shape)), shape);
  }

  read(): Promise<Float32Array | Int32Array> {
    return Promise.resolve(this.data);
  }

  dispose(): void {
    this.wrapped = null;
  }
}

export function storedAs(values: Constant, dtype: DType): Data {
  if (dtype === 'int') return values instanceof Int32Array ? values : Int32Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
