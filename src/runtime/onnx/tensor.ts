import type { Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-node';
import type { DType } from '../../program/index.js';
import { sizeOf } from '../bind.js';
import type { Constant, Stack, Tensor } from '../types.js';
import { Block, type Pool } from './pool.js';

export type Data = Float32Array | Int32Array;

/** An array in ordinary memory, wrapped once for onnxruntime. */
export class OnnxTensor implements Tensor {
  readonly dtype: DType;
  private wrapped: OrtTensor | null;

  constructor(
    private readonly Ort: TensorConstructor,
    data: Data,
    readonly shape: readonly number[],
    private readonly block: Block = foreign(data),
  ) {
    this.dtype = data instanceof Int32Array ? 'int' : 'float';
    this.wrapped = data instanceof Int32Array ? new Ort('int32', data, shape) : new Ort('float32', data, shape);
    block.retain();
  }

  /** What a session is fed, or writes to. */
  get ort(): OrtTensor {
    if (!this.wrapped) throw new Error(`a tensor [${this.shape.join(', ')}] was used after it was disposed`);
    return this.wrapped;
  }

  /** Another tensor over part of the same memory. */
  view(start: number, shape: readonly number[]): OnnxTensor {
    const data = this.ort.data as Data;
    return new OnnxTensor(this.Ort, data.subarray(start, start + sizeOf(shape)), shape, this.block);
  }

  read(): Promise<Float32Array | Int32Array> {
    this.block.expose();
    return Promise.resolve(this.ort.data as Data);
  }

  dispose(): void {
    if (this.wrapped) this.block.release();
    this.wrapped = null;
  }
}

/** Memory that a caller gave us is never reused. */
const foreign = (data: Data): Block => new Block(data.buffer as ArrayBuffer, null);

/** Room for an output; its values are whatever was there before. */
export function allocate(pool: Pool, dtype: DType, size: number): { data: Data; block: Block } {
  const block = pool.take(4 * size);
  const data = dtype === 'int' ? new Int32Array(block.buffer, 0, size) : new Float32Array(block.buffer, 0, size);
  return { data, block };
}

/** A stack is one block of memory, of which ever more is shown. */
export function openStack(Ort: TensorConstructor, pool: Pool, of: { row: readonly number[]; capacity: number }): Stack {
  const size = sizeOf(of.row);
  const { data, block } = allocate(pool, 'float', of.capacity * size);
  const whole = new OnnxTensor(Ort, data, [of.capacity, ...of.row], block);
  let count = 0;
  return {
    push(rows) {
      data.set((rows as OnnxTensor).ort.data as Data, count * size);
      count += rows.shape[0]!;
    },
    all: () => whole.view(0, [count, ...of.row]),
    dispose: () => whole.dispose(),
  };
}

export function storedAs(values: Constant, dtype: DType): Data {
  if (dtype === 'int') return values instanceof Int32Array ? values : Int32Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
