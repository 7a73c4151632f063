import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-node';
import { evaluateShape, type Bindings, type Program } from '../../program/index.js';
import { bindInputs, sizeOf } from '../bind.js';
import type { Kernel, Tensor, Tensors } from '../types.js';
import type { LoweredProgram } from './lower.js';
import type { Pool } from './pool.js';
import { allocate, OnnxTensor } from './tensor.js';

type Layout = Pick<LoweredProgram, 'inputs' | 'outputs' | 'fedShapes'>;

/** What the kernels of one runtime have in common. */
export interface Shared {
  readonly Ort: TensorConstructor;
  readonly pool: Pool;
  /** those not yet disposed */
  readonly kernels: Set<OnnxKernel>;
}

/** What depends on the named dims alone; kept from run to run while they stay the same. */
interface Sizes {
  readonly bindings: Bindings;
  readonly fed: readonly (readonly [name: string, tensor: OrtTensor])[];
  readonly outputs: readonly (readonly number[])[];
}

export class OnnxKernel implements Kernel {
  private sizes: Sizes | null = null;

  constructor(
    private readonly shared: Shared,
    private readonly session: InferenceSession,
    readonly program: Program,
    private readonly layout: Layout,
  ) {
    shared.kernels.add(this);
  }

  async run(inputs: Tensors, wanted?: readonly string[]): Promise<Tensors> {
    const sizes = this.sizesFor(bindInputs(this.program, inputs));
    const feeds: Record<string, OrtTensor> = Object.fromEntries(sizes.fed);
    for (const [key, name] of this.layout.inputs) feeds[name] = own(inputs[key]!).ort;
    // outputs are written into memory of ours: onnxruntime would otherwise copy them out of its own
    const fetches: Record<string, OrtTensor> = {};
    const results: Record<string, OnnxTensor> = {};
    this.layout.outputs.forEach(({ key, name, value }, i) => {
      if (wanted && !wanted.includes(key)) return;
      const shape = sizes.outputs[i]!;
      const { data, block } = allocate(this.shared.pool, value.dtype, sizeOf(shape));
      results[key] = new OnnxTensor(this.shared.Ort, data, shape, block);
      fetches[name] = results[key].ort;
    });
    try {
      await this.session.run(feeds, fetches);
    } catch (cause) {
      for (const tensor of Object.values(results)) tensor.dispose();
      throw new Error(`${this.program.name}: ${(cause as Error).message}`, { cause });
    }
    return results;
  }

  /** Disposing twice is harmless: the runtime disposes whatever its users left. */
  async dispose(): Promise<void> {
    if (this.shared.kernels.delete(this)) await this.session.release();
  }

  private sizesFor(bindings: Bindings): Sizes {
    if (this.sizes && sameBindings(this.sizes.bindings, bindings)) return this.sizes;
    const fed = this.layout.fedShapes.map(({ name, dims }) => {
      const sizes = BigInt64Array.from(evaluateShape(dims, bindings), BigInt);
      return [name, new this.shared.Ort('int64', sizes, [sizes.length])] as const;
    });
    const outputs = this.layout.outputs.map(({ value }) => evaluateShape(value.shape, bindings));
    this.sizes = { bindings, fed, outputs };
    return this.sizes;
  }
}

const sameBindings = (a: Bindings, b: Bindings): boolean => Object.keys(a).every((name) => a[name] === b[name]);

function own(tensor: Tensor): OnnxTensor {
  if (tensor instanceof OnnxTensor) return tensor;
  throw new Error(`a tensor [${tensor.shape.join(', ')}] of another runtime was given to onnxruntime`);
}
