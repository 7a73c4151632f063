import type { DType, Program } from '../../program/index.js';
import { checkRows, checkSize, sizeOf } from '../bind.js';
import type { Constant, Kernel, Runtime, RuntimeInfo, RuntimeOptions, Tensor } from '../types.js';
import { activate, TfjsKernel, tfTensor } from './kernel.js';
import { loadOrRefuse } from '../peer.js';
import { TfjsTensor, upload } from './tensor.js';
import type { LoadedBackend, TfjsBackend, TfTensor } from './types.js';

export { TFJS_BACKENDS } from './backends.js';
export type { TfjsBackend } from './types.js';

/**
 * Programs interpreted with tfjs ops; tensors stay on the backend's device until they are read.
 * @throws TheveninError runtime/unavailable when the backend's packages are absent or broken, or it has no device
 */
export async function createTfjsRuntime(backend: TfjsBackend, options: RuntimeOptions): Promise<Runtime> {
  return new TfjsRuntime(backend.key, await loadOrRefuse(backend, () => backend.load(options)));
}

class TfjsRuntime implements Runtime {
  readonly info: RuntimeInfo;
  private readonly kernels = new Set<Kernel>();

  constructor(
    key: string,
    private readonly backend: LoadedBackend,
  ) {
    const { title, threads, onGpu } = backend;
    this.info = { key, title, precision: 'float32', threads, onGpu };
  }

  async prepare(program: Program, constants: Readonly<Record<string, Constant>> = {}): Promise<Kernel> {
    activate(this.backend);
    const kernel = new TfjsKernel(this.backend, program, {
      values: constants,
      released: (it) => this.kernels.delete(it),
    });
    this.kernels.add(kernel);
    return kernel;
  }

  tensor(
    values: Constant,
    shape: readonly number[],
    dtype: DType = values instanceof Int32Array ? 'int' : 'float',
  ): Tensor {
    checkSize(values.length, shape);
    activate(this.backend);
    return new TfjsTensor(this.backend, upload(this.backend, values, { shape, dtype }));
  }

  rows(tensor: Tensor, start: number, end: number): Tensor {
    const { shape, row } = checkRows(tensor.shape, start, end);
    return this.derive(tensor, (x) => {
      const { tf } = this.backend;
      if (sizeOf(shape) === 0) return tf.tensor([], shape, x.dtype);
      const flat = tf.reshape(x, [-1, row]);
      return tf.reshape(tf.slice(flat, [start, 0], [end - start, row]), shape);
    });
  }

  reshape(tensor: Tensor, shape: readonly number[]): Tensor {
    checkSize(sizeOf(tensor.shape), shape);
    return this.derive(tensor, (x) => this.backend.tf.reshape(x, [...shape]));
  }

  private derive(tensor: Tensor, make: (x: TfTensor) => TfTensor): Tensor {
    activate(this.backend);
    return new TfjsTensor(
      this.backend,
      this.backend.tf.tidy(() => make(tfTensor(tensor))),
    );
  }

  async dispose(): Promise<void> {
    for (const kernel of [...this.kernels]) await kernel.dispose();
  }
}
