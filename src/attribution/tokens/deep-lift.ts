/** DeepLIFT's rescale rule (Shrikumar, Greenside & Kundaje, arXiv:1704.02685). */
import {
  abs,
  broadcast,
  differentiate,
  div,
  greater,
  input,
  literal,
  makeProgram,
  mul,
  sub,
  substitute,
  where,
  type OpName,
  type Rules,
  type Value,
} from '../../program/index.js';
import type { Runtime } from '../../runtime/types.js';
import { timesDifference, type Way } from './function.js';
import { read, type Traced } from './program.js';

/** Ops of one number that bend: their multiplier is Δy/Δx between baseline and input, not dy/dx. */
const RESCALED = [
  'relu', 'gelu', 'geluTanh', 'silu', 'tanh', 'sigmoid', 'exp', 'log', 'sqrt', 'sin', 'cos', 'erf', 'abs',
] as const satisfies readonly OpName[]; // prettier-ignore

/** Below it, Δy/Δx is lost in rounding and the derivative stands for it. */
const TOO_NEAR = 1e-6;

export interface DeepLift {
  /** Δf/Δx of each element of the input */
  readonly multipliers: Float64Array;
  /** (x − x′) ⊙ multipliers; their sum is f(x) − f(x′) where x is bent by ops of one number only */
  readonly values: Float64Array;
}

/** Products of two values that both depend on x go by their derivative at x. Cost: one run of the program at x and x′. */
export async function deepLift(runtime: Runtime, { x, output }: Traced, way: Way): Promise<DeepLift> {
  const program = makeProgram('explained', { output });
  const own = { x: program.inputs[0] as Value, output: program.outputs['output'] as Value };
  const baseline = input('baseline', x.shape);
  const bent = program.values.filter(({ op }) => RESCALED.some((one) => one === op));
  const twins = substitute(bent, new Map([[own.x, baseline]]));
  const twinOf = new Map(bent.map((value, i) => [value, twins[i] as Value]));
  const gradient = broadcast(literal(1), output.shape);
  const [multiplier] = differentiate([{ of: own.output, gradient }], [own.x], rescale(twinOf)) as [Value];
  const kernel = await runtime.prepare(makeProgram('multipliers', { multiplier }));
  try {
    const given = [[x, way.x] as const, [baseline, way.baseline] as const];
    const multipliers = await read({ runtime, kernel }, given, 'multiplier');
    return { multipliers, values: timesDifference(way, multipliers) };
  } finally {
    await kernel.dispose();
  }
}

/** gradient · Δy/Δx, with y and x at the input and at the baseline. */
function rescale(twinOf: ReadonlyMap<Value, Value>): Rules {
  const rule: Rules[OpName] = (y, gradient, usual) => {
    const twin = twinOf.get(y) as Value;
    const change = sub(y.inputs[0] as Value, twin.inputs[0] as Value);
    const apart = greater(abs(change), TOO_NEAR);
    const slope = div(sub(y, twin), where(apart, change, 1));
    return [() => where(apart, mul(gradient, slope), (usual[0] as () => Value)())];
  };
  return Object.fromEntries(RESCALED.map((op) => [op, rule]));
}
