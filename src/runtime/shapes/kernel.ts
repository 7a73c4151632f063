import { evaluateShape, type Bindings, type OpName, type Program, type Value } from '../../program/index.js';
import { bindInputs, sizeOf } from '../bind.js';
import { Plan, type Step } from '../plan.js';
import type { Kernel, Tensors } from '../types.js';
import type { Meter } from './meter.js';
import { makeShapeTensor, type OfFloats } from './tensor.js';

/** Ops whose result may be written over an operand that nobody reads any more, or that is the operand under another shape. */
const IN_PLACE: ReadonlySet<OpName> = new Set<OpName>([
  ...([
    'add',
    'sub',
    'mul',
    'div',
    'pow',
    'neg',
    'abs',
    'exp',
    'log',
    'sqrt',
    'tanh',
    'sigmoid',
    'erf',
    'relu',
  ] as const),
  ...(['gelu', 'geluTanh', 'reshape'] as const),
]);

/** Runs a program's shapes: what a run would hold at most while it lasts, and the outputs it would leave. */
export class ShapeKernel implements Kernel {
  private readonly plan: Plan;
  private readonly constants: ReadonlySet<number>;
  private last: { readonly key: string; readonly scratch: number } | null = null;

  constructor(
    readonly program: Program,
    private readonly meter: Meter,
    private readonly of: OfFloats,
  ) {
    this.plan = new Plan(program);
    this.constants = new Set(program.parameters.map((one) => this.plan.slotOf(one)));
  }

  run(inputs: Tensors, wanted: readonly string[] = Object.keys(this.program.outputs)): Promise<Tensors> {
    const bindings = bindInputs(this.program, inputs);
    const outputs = wanted.map((name) => {
      const { shape, dtype } = this.program.outputs[name] as Value;
      return [
        name,
        makeShapeTensor(this.meter, { shape: evaluateShape(shape, bindings), dtype, of: this.of }),
      ] as const;
    });
    this.meter.reach(this.scratch(bindings, wanted));
    return Promise.resolve(Object.fromEntries(outputs));
  }

  /** The most bytes that intermediates take at once, beside inputs and outputs. */
  private scratch(bindings: Bindings, wanted: readonly string[]): number {
    const key = JSON.stringify([bindings, wanted]);
    if (this.last?.key === key) return this.last.scratch;
    const elsewhere = new Set(wanted.map((name) => this.plan.slotOf(this.program.outputs[name] as Value)));
    const bytes = new Map<number, number>();
    let [held, most] = [0, 0];
    for (const step of this.plan.stepsTo(wanted)) {
      const size = elsewhere.has(step.slot) ? 0 : this.bytesOf(step.value, bindings);
      const reused = this.reused(step, { size, bytes });
      if (reused !== undefined) bytes.set(reused, 0);
      else held += size;
      bytes.set(step.slot, size);
      most = Math.max(most, held);
      for (const slot of step.last) held -= bytes.get(slot) ?? 0;
    }
    this.last = { key, scratch: most };
    return most;
  }

  private reused(
    { value, inputs, last }: Step,
    { size, bytes }: { size: number; bytes: ReadonlyMap<number, number> },
  ): number | undefined {
    if (!IN_PLACE.has(value.op) || size === 0) return undefined;
    return inputs.find((slot) => last.includes(slot) && bytes.get(slot) === size && !this.constants.has(slot));
  }

  private bytesOf({ shape, dtype }: Value, bindings: Bindings): number {
    return sizeOf(evaluateShape(shape, bindings)) * (dtype === 'int' ? 4 : this.of.bytesPerFloat);
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
