import { printShape } from './dims.js';
import type { OpName, Value } from './value.js';

/** A static dataflow graph: everything reachable from its outputs, equal subexpressions shared, in an order that can be run. */
export interface Program {
  readonly name: string;
  /** given at each run */
  readonly inputs: readonly Value<'input'>[];
  /** given once, at preparation */
  readonly parameters: readonly Value<'input'>[];
  readonly outputs: Readonly<Record<string, Value>>;
  /** every value, each after the values it reads */
  readonly values: readonly Value[];
}

export function makeProgram(name: string, outputs: Readonly<Record<string, Value>>): Program {
  const shared = new Shared();
  const canonical = Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, shared.canonical(value)]));
  const leaves = shared.values.filter((value): value is Value<'input'> => value.op === 'input');
  const inputs = leaves.filter((leaf) => leaf.attributes.role === 'input');
  const parameters = leaves.filter((leaf) => leaf.attributes.role === 'parameter');
  assertDistinct(name, leaves);
  return { name, inputs, parameters, outputs: canonical, values: shared.values };
}

function assertDistinct(program: string, leaves: readonly Value<'input'>[]): void {
  const seen = new Set<string>();
  for (const { attributes } of leaves) {
    if (seen.has(attributes.name)) throw new Error(`program ${program}: two inputs are called ${attributes.name}`);
    seen.add(attributes.name);
  }
}

/** Shares equal subexpressions: two values with the same op, attributes and inputs become one. */
class Shared {
  readonly values: Value[] = [];
  private readonly byKey = new Map<string, Value>();
  private readonly byValue = new Map<Value, Value>();
  private readonly numbers = new Map<Value, number>();

  canonical(root: Value): Value {
    for (const value of topological([root], this.byValue)) this.add(value);
    return this.byValue.get(root) as Value;
  }

  private add(value: Value): void {
    const inputs = value.inputs.map((one) => this.byValue.get(one) as Value);
    const numbers = inputs.map((one) => this.numbers.get(one)).join(',');
    const key = `${value.op}(${numbers})${JSON.stringify(value.attributes, exactNumbers)}${value.op === 'input' ? printShape(value.shape) : ''}`;
    let found = this.byKey.get(key);
    if (!found) {
      found = { ...value, inputs };
      this.byKey.set(key, found);
      this.numbers.set(found, this.values.length);
      this.values.push(found);
    }
    this.byValue.set(value, found);
  }
}

/** JSON writes every infinity as null, and −0 as 0. */
const exactNumbers = (_: string, x: unknown): unknown =>
  typeof x === 'number' && (!Number.isFinite(x) || Object.is(x, -0)) ? `${1 / x} ${x}` : x;

/** Every value reachable from `roots`, inputs first; values in `known` are left out. Iterative: graphs are deep. */
export function topological(roots: readonly Value[], known: ReadonlyMap<Value, unknown> = new Map()): Value[] {
  const order: Value[] = [];
  const done = new Set<Value>();
  const stack: { value: Value; next: number }[] = [];
  const enter = (value: Value): void => {
    if (!done.has(value) && !known.has(value)) stack.push({ value, next: 0 });
  };
  for (const root of roots) {
    enter(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const child = top.value.inputs[top.next++];
      if (child) enter(child);
      else {
        stack.pop();
        if (!done.has(top.value)) order.push(top.value);
        done.add(top.value);
      }
    }
  }
  return order;
}

/** The expressions of `roots` with some values replaced by others of the same shape (a saved intermediate by an input, say). */
export function substitute(roots: readonly Value[], replacements: ReadonlyMap<Value, Value>): Value[] {
  const images = new Map<Value, Value>(replacements);
  for (const value of topological(roots, replacements)) {
    const inputs = value.inputs.map((one) => images.get(one) as Value);
    const same = inputs.every((one, i) => one === value.inputs[i]);
    images.set(value, same ? value : { ...value, inputs });
  }
  return roots.map((root) => images.get(root) as Value);
}

/** Readable text, one line a value; equal programs print equally. */
export function printProgram(program: Program): string {
  const names = new Map<Value, string>();
  const lines: string[] = [];
  for (const value of program.values) {
    const name = value.op === 'input' ? value.attributes.name : `v${names.size}`;
    names.set(value, name);
    lines.push(
      `  ${name}: ${value.dtype === 'int' ? 'int' : ''}${printShape(value.shape)} = ${describe(value, names)}`,
    );
  }
  const outputs = Object.entries(program.outputs).map(([key, value]) => `${key} = ${names.get(value)}`);
  return [`program ${program.name} {`, ...lines, `  return ${outputs.join(', ')}`, '}'].join('\n');
}

function describe(value: Value, names: ReadonlyMap<Value, string>): string {
  if (value.op === 'input') return value.attributes.role;
  if (value.op === 'literal') return String(value.attributes.value);
  const attributes = Object.entries(value.attributes as Record<string, unknown>).map(
    ([key, x]) => `${key}=${JSON.stringify(x)}`,
  );
  return `${value.op satisfies OpName}(${[...value.inputs.map((one) => names.get(one)), ...attributes].join(', ')})`;
}
