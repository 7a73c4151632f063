import { invariant } from '../../errors.js';
import { evaluateShape, type Bindings, type Program } from '../../program/index.js';
import { bindInputs, checkConstants } from '../bind.js';
import type { Constant, Kernel, Tensor, Tensors } from '../types.js';
import { evaluate } from './evaluate.js';
import { Plan, type Step } from '../plan.js';
import { TfjsTensor, upload } from './tensor.js';
import type { LoadedBackend, TfTensor } from './types.js';

/** The tensors a run has at hand, by slot. */
type Slots = Map<number, TfTensor>;

interface Given {
  /** the parameters, by name */
  readonly values: Readonly<Record<string, Constant>>;
  /** told when the kernel is disposed */
  readonly released: (kernel: Kernel) => void;
}

/** A program run op by op; intermediates are freed at their last use. */
export class TfjsKernel implements Kernel {
  private readonly plan: Plan;
  private readonly released: Given['released'];
  /** parameters and what was computed from them alone */
  private readonly constants: Slots = new Map();

  constructor(
    private readonly backend: LoadedBackend,
    readonly program: Program,
    { values, released }: Given,
  ) {
    this.released = released;
    checkConstants(program, values);
    this.plan = new Plan(program);
    for (const parameter of program.parameters) {
      const { attributes, shape, dtype } = parameter;
      const tensor = upload(backend, values[attributes.name]!, { shape: evaluateShape(shape, {}), dtype });
      this.constants.set(this.plan.slotOf(parameter), tensor);
    }
    this.perform(this.plan.once, this.constants, {});
  }

  async run(inputs: Tensors, wanted: readonly string[] = Object.keys(this.program.outputs)): Promise<Tensors> {
    const bindings = bindInputs(this.program, inputs);
    activate(this.backend);
    const slots: Slots = new Map(this.constants);
    for (const input of this.program.inputs) {
      slots.set(this.plan.slotOf(input), tfTensor(inputs[input.attributes.name]!));
    }
    const taken = new Set(slots.values());
    this.perform(this.plan.stepsTo(wanted), slots, bindings);
    const outputs = wanted.map((name) => {
      const tensor = slots.get(this.plan.slotOf(this.program.outputs[name]!))!;
      // what belongs to someone else already is handed out as a copy, which shares its memory
      const own = taken.has(tensor) ? this.backend.tf.clone(tensor) : tensor;
      taken.add(own);
      return [name, new TfjsTensor(this.backend, own)] as const;
    });
    return Object.fromEntries(outputs);
  }

  /** Runs steps over `slots`, which holds on return what lasts beyond them. Nothing is left behind when a step throws. */
  private perform(steps: readonly Step[], slots: Slots, bindings: Bindings): void {
    const made = new Set<TfTensor>();
    try {
      for (const { value, slot, inputs, last } of steps) {
        const tensor = evaluate(this.backend, value, { inputs: inputs.map((one) => slots.get(one)!), bindings });
        made.add(tensor);
        slots.set(slot, tensor);
        for (const one of last) {
          slots.get(one)!.dispose();
          slots.delete(one);
        }
      }
    } catch (error) {
      for (const tensor of made) tensor.dispose();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    for (const tensor of this.constants.values()) tensor.dispose();
    this.constants.clear();
    this.released(this);
  }
}

/** tfjs has one current backend in a process; whoever computes says first which is theirs. */
export function activate({ tf, name }: LoadedBackend): void {
  if (tf.getBackend() !== name) void tf.setBackend(name); // takes effect at once for a backend that is loaded
}

export function tfTensor(tensor: Tensor): TfTensor {
  invariant(tensor instanceof TfjsTensor, 'a tensor of another runtime was given to tfjs');
  return tensor.tf;
}
