import {
  differentiate,
  evaluateShape,
  input,
  makeProgram,
  type Bindings,
  type Program,
} from '../../src/program/index.js';
import type { Runtime } from '../../src/runtime/index.js';
import { BINDINGS, fill, leavesOf, OP_CASES, uniform, type OpCase } from '../helpers/op-cases.js';
import { onEveryRuntime, type Tolerance } from './available.js';
import { LAYOUT_CASES } from './cases.js';
import { expectReference, type Numbers } from './compare.js';
import { transformerNumbers, transformerProgram } from './transformer.js';

/** No positions at all, as before a prefix of length 0; then every op has nothing to do and must still say so. */
const EMPTY: Bindings = { batch: 2, pos: 0, prefix: 2 };

/** A case's value and its derivatives along a random direction. The inputs themselves are outputs too: they bind the dims. */
function programOf(one: OpCase): Program {
  const leaves = leavesOf(one);
  const y = one.build(leaves);
  const wrt = Object.entries(leaves).filter(([, leaf]) => leaf.dtype === 'float');
  const gradients = differentiate(
    [{ of: y, gradient: input('direction', y.shape) }],
    wrt.map(([, leaf]) => leaf),
  );
  const slopes = wrt.map(([name], i) => [`gradient ${name}`, gradients[i]!] as const);
  return makeProgram(one.title, { ...leaves, y, ...Object.fromEntries(slopes) });
}

function numbersFor(one: OpCase, program: Program, bindings: Bindings): Numbers {
  const random = uniform(3);
  return Object.fromEntries(
    program.inputs.map(({ attributes: { name }, shape }) => {
      const size = evaluateShape(shape, bindings).reduce((a, b) => a * b, 1);
      // as float32 holds them: what is compared is arithmetic, not the rounding of its input
      return [name, fill(one.leaves[name] ?? { shape }, size, random).map(Math.fround)];
    }),
  );
}

const within =
  ({ values, gradients }: Tolerance) =>
  (output: string): number =>
    output.startsWith('gradient') ? gradients : values;

const print = (bindings: Bindings): string => Object.values(bindings).join('×');

/** A mean or maximum over nothing is not a number that programs rely on. */
const isDefined = (op: string, bindings: Bindings): boolean => bindings !== EMPTY || (op !== 'mean' && op !== 'max');

await onEveryRuntime('every op and its gradient', ({ create, tolerance }) => {
  let runtime: Runtime;
  before(async () => (runtime = await create()));
  after(() => runtime.dispose());

  const check = async (one: OpCase, sizes: readonly Bindings[]): Promise<void> => {
    const program = programOf(one);
    for (const bindings of sizes)
      await expectReference(
        runtime,
        { program, bindings, numbers: numbersFor(one, program, bindings) },
        within(tolerance),
      );
  };

  for (const [op, cases] of Object.entries(OP_CASES))
    for (const one of cases) {
      const sizes = [...BINDINGS, EMPTY].filter((bindings) => isDefined(op, bindings));
      it(`${op}: ${one.title} at ${sizes.map(print).join(', ')}`, () => check(one, sizes));
    }
  for (const one of LAYOUT_CASES) it(one.title, () => check(one, BINDINGS));
});

await onEveryRuntime('a whole transformer', ({ create, tolerance }) => {
  let runtime: Runtime;
  before(async () => (runtime = await create()));
  after(() => runtime.dispose());

  for (const [batch, pos] of [
    [2, 5],
    [1, 3],
  ] as const)
    it(`${batch} prompts of ${pos} tokens: logits, metric, and gradients by an activation and every weight`, () =>
      expectReference(
        runtime,
        { program: transformerProgram(2), bindings: { batch, pos }, numbers: transformerNumbers(2, [batch, pos]) },
        within(tolerance),
      ));
});
