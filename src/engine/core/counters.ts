/** What an engine has computed, counted where its kernels run: for records, for estimates of what is still to come, for tests. */
import { performance } from 'node:perf_hooks';
import { bindInputs, sizeOf } from '../../runtime/bind.js';
import { evaluateShape, type Bindings, type Program, type Value } from '../../program/index.js';
import type { Kernel, Tensors } from '../../runtime/types.js';

export interface Counters {
  /** tokens that went through a layer, forward or backward, divided by the layers: in units of tokens through the whole model */
  layerTokens: number;
  /** prompts that went through the whole model; through some layers or from some position on only, as much of one as that is */
  forwardPasses: number;
  backwardPasses: number;
  kernelRuns: number;
  kernelSeconds: number;
  /** what those runs had to do, in {@link workOf units} that take about equally long */
  work: number;
  /** what kernels took that were prepared, in parameter values, see {@link preparationOf}, and how long that was */
  prepared: number;
  preparingSeconds: number;
}

export const noCounts = (): Counters => ({
  layerTokens: 0,
  forwardPasses: 0,
  backwardPasses: 0,
  kernelRuns: 0,
  kernelSeconds: 0,
  work: 0,
  prepared: 0,
  preparingSeconds: 0,
});

/** What was counted from `before` to `after`. */
export const countsBetween = (before: Counters, after: Counters): Counters => ({
  layerTokens: after.layerTokens - before.layerTokens,
  forwardPasses: after.forwardPasses - before.forwardPasses,
  backwardPasses: after.backwardPasses - before.backwardPasses,
  kernelRuns: after.kernelRuns - before.kernelRuns,
  kernelSeconds: after.kernelSeconds - before.kernelSeconds,
  work: after.work - before.work,
  prepared: after.prepared - before.prepared,
  preparingSeconds: after.preparingSeconds - before.preparingSeconds,
});

/** Prompts, or parts of them, that went through some layers. */
export interface Passed {
  /** questions × examples × positions */
  readonly tokens: number;
  /** default all; a part of a layer is a part of one */
  readonly layers?: number;
  /** `length`: how many tokens a whole prompt has */
  readonly span: { readonly length: number };
}

export const countPass = (
  counters: Counters,
  way: 'forward' | 'backward',
  { tokens, layers, nLayers, span }: Passed & { readonly nLayers: number },
): void => {
  const through = (tokens * (layers ?? nLayers)) / nLayers;
  counters.layerTokens += through;
  counters[`${way}Passes`] += through / span.length;
};

/** Multiplications of a matrix product that take about as long as reading and writing one number of an elementwise op … */
const PER_ELEMENT = 48;
/** … and as starting a kernel. */
const PER_RUN = 3e6;

/** Ops that compute nothing: another shape of the same numbers. */
const FREE: ReadonlySet<string> = new Set(['input', 'literal', 'reshape']);

/** How long a run takes, in multiplications of a matrix product: those, the numbers that all other ops write, and its start. */
export function workOf(program: Program, bindings: Bindings, wanted: readonly string[]): number {
  let work = PER_RUN;
  for (const value of reachable(program, wanted)) {
    if (FREE.has(value.op) || value.shape.length === 0) continue;
    const size = sizeOf(evaluateShape(value.shape, bindings));
    work += value.op === 'matmul' ? size * lastDim(value.inputs[0] as Value, bindings) : PER_ELEMENT * size;
  }
  return work;
}

const lastDim = ({ shape }: Value, bindings: Bindings): number => evaluateShape(shape, bindings).at(-1) ?? 1;

/** The values that these outputs need. */
function reachable({ values, outputs }: Program, wanted: readonly string[]): Value[] {
  const needed = new Set(wanted.map((name) => outputs[name] as Value));
  return [...values].reverse().filter((value) => {
    if (!needed.has(value)) return false;
    value.inputs.forEach((one) => needed.add(one));
    return true;
  });
}

/** A kernel whose runs are counted. */
export function counted(kernel: Kernel, counters: Counters): Kernel {
  const { program } = kernel;
  const known = new Map<string, number>();
  const workAt = (inputs: Tensors, wanted: readonly string[]): number => {
    const key = `${wanted.join()};${program.inputs.map(({ attributes }) => inputs[attributes.name]?.shape.join()).join(';')}`;
    let work = known.get(key);
    if (work === undefined) known.set(key, (work = workOf(program, bindInputs(program, inputs), wanted)));
    return work;
  };
  return {
    program,
    async run(inputs, wanted = Object.keys(program.outputs)) {
      const started = performance.now();
      const outputs = await kernel.run(inputs, wanted);
      counters.kernelSeconds += (performance.now() - started) / 1000;
      counters.kernelRuns++;
      counters.work += workAt(inputs, wanted);
      return outputs;
    },
    dispose: () => kernel.dispose(),
  };
}

/** Parameter values that take about as long to prepare as compiling one op of a program. */
const PER_OP = 12_000;

/** How long preparing a kernel takes, in parameter values: those, and its ops. */
export const preparationOf = ({ parameters, values }: Program): number =>
  parameters.reduce((sum, { shape }) => sum + sizeOf(evaluateShape(shape, {})), PER_OP * values.length);
