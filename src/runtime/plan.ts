/** A program as lists of steps over numbered slots, each slot freed at the step that reads it last. */
import type { Program, Value } from '../program/index.js';

export interface Step {
  readonly value: Exclude<Value, Value<'input'>>;
  readonly slot: number;
  readonly inputs: readonly number[];
  /** the slots nobody reads after this step */
  readonly last: readonly number[];
}

const isLeaf = (value: Value): value is Value<'input'> => value.op === 'input';
const isComputed = (value: Value): value is Step['value'] => !isLeaf(value);

/** Whether no named dim takes part: neither in the shape nor in a slice's or pad's bounds. */
const isStatic = (value: Value): boolean =>
  value.shape.every((dim) => typeof dim === 'number') &&
  Object.values(value.attributes as Record<string, unknown>).every((attribute) => typeof attribute !== 'string');

/** What depends on parameters and literals alone. */
function constants(program: Program): Set<Value> {
  const found = new Set<Value>();
  for (const value of program.values) {
    const constant = isLeaf(value)
      ? value.attributes.role === 'parameter'
      : isStatic(value) && value.inputs.every((one) => found.has(one));
    if (constant) found.add(value);
  }
  return found;
}

export class Plan {
  /** Run when the program is prepared; leaves the constants that the other steps or the outputs read. */
  readonly once: readonly Step[];
  private readonly slots: ReadonlyMap<Value, number>;
  private readonly constant: ReadonlySet<Value>;
  private readonly schedules = new Map<string, readonly Step[]>();

  constructor(private readonly program: Program) {
    this.slots = new Map(program.values.map((value, slot) => [value, slot]));
    this.constant = constants(program);
    const computed = program.values.filter(isComputed);
    const readLater = computed.filter((value) => !this.constant.has(value)).flatMap((value) => value.inputs);
    const kept = [...readLater, ...Object.values(program.outputs)].map((value) => this.slotOf(value));
    this.once = this.steps(
      computed.filter((value) => this.constant.has(value)),
      kept,
    );
  }

  readonly slotOf = (value: Value): number => this.slots.get(value)!;

  /** The steps of a run that returns these outputs. */
  stepsTo(wanted: readonly string[]): readonly Step[] {
    const key = JSON.stringify(wanted);
    const known = this.schedules.get(key);
    if (known) return known;
    const schedule = this.schedule(wanted.map((name) => this.program.outputs[name]!));
    this.schedules.set(key, schedule);
    return schedule;
  }

  private schedule(outputs: readonly Value[]): Step[] {
    const needed = new Set(outputs);
    for (const value of [...this.program.values].reverse()) {
      if (needed.has(value)) for (const one of value.inputs) needed.add(one);
    }
    const computed = this.program.values
      .filter(isComputed)
      .filter((value) => needed.has(value) && !this.constant.has(value));
    // constants are the kernel's, inputs and outputs the caller's
    return this.steps(computed, [...outputs, ...this.constant, ...this.program.inputs].map(this.slotOf));
  }

  private steps(values: readonly Step['value'][], lasting: Iterable<number>): Step[] {
    const read = new Set(lasting);
    const backwards = [...values].reverse().map((value) => {
      const inputs = value.inputs.map(this.slotOf);
      const last = [...new Set(inputs)].filter((slot) => !read.has(slot));
      for (const slot of last) read.add(slot);
      return { value, slot: this.slotOf(value), inputs, last };
    });
    return backwards.reverse();
  }
}
