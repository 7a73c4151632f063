/** What of a prompt gets a value of its own, and what stands in a table: its named spans, or its positions. */
import { refuse } from '../../errors.js';
import type { Example } from '../../task/types.js';

export interface Unit {
  readonly name: string;
  readonly positions: readonly number[];
  /** the tokens that no span names, together */
  readonly rest: boolean;
}

/** How the prompts of a task are divided. */
export interface Division {
  readonly kind: 'span' | 'position';
  /** in order */
  readonly names: readonly string[];
  of(example: Example): readonly Unit[];
}

/** Positions that are in none of the spans. */
const OTHERS = 'other tokens';

export interface DivisionOptions {
  /** names of the spans asked for; undefined: those that every prompt has, or positions where there is none */
  readonly spans: readonly string[] | undefined;
  /** no position is in two spans */
  readonly disjoint: boolean;
}

/** @throws TheveninError attribution/spans */
export function divide(examples: readonly Example[], options: DivisionOptions): Division {
  const common = Object.keys(examples[0]?.spans ?? {}).filter((name) => lacking(examples, name).length === 0);
  const names = options.spans ?? common;
  if (names.length === 0) return byPosition(examples);
  for (const name of names) requireSpan(examples, name, common);
  if (options.disjoint) for (const example of examples) checkDisjoint(example, names);
  return { kind: 'span', names: [...names, OTHERS], of: (example) => spanUnits(example, names) };
}

function byPosition(examples: readonly Example[]): Division {
  const longest = Math.max(0, ...examples.map(({ clean }) => clean.length));
  return {
    kind: 'position',
    names: Array.from({ length: longest }, (_, position) => `${position}`),
    of: tokenUnits,
  };
}

/** Every position by itself. */
export const tokenUnits = ({ clean }: Example): Unit[] =>
  clean.map((_, position) => ({ name: `${position}`, positions: [position], rest: false }));

function spanUnits({ clean, spans }: Example, names: readonly string[]): Unit[] {
  const units = names.map((name): Unit => {
    const [first, afterLast] = spans[name] as readonly [number, number];
    return { name, positions: Array.from({ length: afterLast - first }, (_, i) => first + i), rest: false };
  });
  const inside = new Set(units.flatMap(({ positions }) => positions));
  const others = [...clean.keys()].filter((position) => !inside.has(position));
  return others.length === 0 ? units : [...units, { name: OTHERS, positions: others, rest: true }];
}

const lacking = (examples: readonly Example[], name: string): Example[] =>
  examples.filter(({ spans }) => spans[name] === undefined);

function requireSpan(examples: readonly Example[], name: string, common: readonly string[]): void {
  const without = lacking(examples, name);
  if (without.length > 0)
    refuse(
      'attribution/spans',
      `span ${name} is absent from ${without.length} of ${examples.length} prompts (the first is pair ${without[0]?.index}); every prompt has ${common.length === 0 ? 'no span' : `--spans ${common.join(',')}`}`,
    );
}

function checkDisjoint({ spans, index }: Example, names: readonly string[]): void {
  names.forEach((name, i) => {
    const [first, afterLast] = spans[name] ?? [0, 0];
    const other = names.slice(i + 1).find((one) => {
      const [from, to] = spans[one] ?? [0, 0];
      return from < afterLast && first < to;
    });
    if (other !== undefined)
      refuse(
        'attribution/spans',
        `spans ${name} and ${other} of pair ${index} overlap, so that they cannot join a coalition one by one; name spans that do not with --spans`,
      );
  });
}
