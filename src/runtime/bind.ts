import { bindShape, evaluateShape, type Bindings, type Program } from '../program/index.js';
import type { Tensors } from './types.js';

/**
 * What the named dims of a program are in one run, from the sizes of its inputs.
 * @throws when an input is missing, unknown, or has a size that contradicts the program, naming it and both shapes
 */
export function bindInputs(program: Program, tensors: Tensors): Bindings {
  const bindings: Record<string, number> = {};
  for (const input of program.inputs) {
    const tensor = tensors[input.attributes.name];
    if (!tensor)
      throw new Error(`${program.name}: the input ${input.attributes.name} [${input.shape.join(', ')}] is missing`);
    if (!bindShape(input.shape, tensor.shape, bindings) || tensor.dtype !== input.dtype)
      throw mismatch(program, input, tensor, bindings);
  }
  // dims such as prefix+pos can be checked only when every plain name is bound
  for (const input of program.inputs) {
    const tensor = tensors[input.attributes.name]!;
    const expected = evaluateShape(input.shape, bindings);
    if (expected.some((size, i) => size !== tensor.shape[i])) throw mismatch(program, input, tensor, bindings);
  }
  if (Object.keys(tensors).length !== program.inputs.length) throw unknownInput(program, tensors);
  return bindings;
}

type Input = Program['inputs'][number];

function mismatch(program: Program, input: Input, tensor: Tensors[string], bindings: Bindings): Error {
  const sizes = Object.entries(bindings).map(([name, size]) => `${name} = ${size}`);
  const known = sizes.length === 0 ? '' : ` where ${sizes.join(', ')}`;
  const expected = `${input.dtype} [${input.shape.join(', ')}]${known}`;
  return new Error(
    `${program.name}: the input ${input.attributes.name} is ${tensor.dtype} [${tensor.shape.join(', ')}], expected ${expected}`,
  );
}

function unknownInput(program: Program, tensors: Tensors): Error {
  const names = program.inputs.map(({ attributes }) => attributes.name);
  const unknown = Object.keys(tensors).filter((name) => !names.includes(name));
  return new Error(`${program.name}: no input is called ${unknown.join(', ')}; its inputs are ${names.join(', ')}`);
}

/** @throws when a parameter of the program has no constant, or one of another length */
export function checkConstants(
  program: Program,
  constants: Readonly<Record<string, { readonly length: number }>>,
): void {
  for (const { attributes, shape } of program.parameters) {
    const constant = constants[attributes.name];
    const size = evaluateShape(shape, {}).reduce((product, dim) => product * dim, 1);
    if (constant?.length === size) continue;
    const got = constant ? `${constant.length} values` : 'nothing';
    throw new Error(
      `${program.name}: the parameter ${attributes.name} [${shape.join(', ')}] needs ${size} values, got ${got}`,
    );
  }
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

export function checkSize(length: number, shape: readonly number[]): void {
  if (length !== sizeOf(shape)) throw new Error(`${length} values do not fill a tensor [${shape.join(', ')}]`);
}

/** The shape of rows start … end-1, and how many elements a row has. */
export function checkRows(from: readonly number[], start: number, end: number): { shape: number[]; row: number } {
  const [count = 0, ...rest] = from;
  if (0 <= start && start <= end && end <= count) return { shape: [end - start, ...rest], row: sizeOf(rest) };
  throw new Error(`rows ${start} to ${end} of a tensor [${from.join(', ')}]`);
}
