/** Where in a prompt, and in what is written after it, a vector is added. */
import { parsePlace } from '../../circuit/address.js';
import { refuse } from '../../errors.js';
import type { Batch } from '../../engine/core/batches.js';
import type { Addition } from '../../engine/questions/steered.js';
import type { Example } from '../../task/types.js';
import { PLACES, type PlacesOptions } from '../../text/divide.js';
import type { SteeringVector } from './vectors.js';
import { positionsOf } from '../../text/where.js';

/** Which positions a vector is added at; several places are steered one at a time. */
export interface SteeringPlaces {
  /** as asked */
  readonly at: string;
  readonly labels: readonly string[];
  /** positions of one place in a prompt that has grown to `length` tokens; row i of a vector with several goes to the i-th */
  positions(place: number, example: Example, length: number): readonly number[];
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

type Maker = (
  examples: readonly Example[],
  of: { rows: number; tokenText: PlacesOptions['tokenText'] },
) => SteeringPlaces;

const one = (at: string, positions: (example: Example, length: number) => readonly number[]): SteeringPlaces => ({
  at,
  labels: [at],
  positions: (_, example, length) => positions(example, length),
});

/** Every place that has a name of its own; anything else is a span. A new one is a line here. */
const NAMED: Readonly<Record<string, Maker>> = {
  front: (examples, { rows }) => {
    const short = examples.find(({ clean }) => clean.length < rows);
    if (short)
      refuse(
        'interventions/steering',
        `the vector has a row for each of ${rows} tokens, but pair ${short.index} has only ${short.clean.length}: it would be added beyond the prompt; take a shorter pair of prompts, or read one place of them (end, mean)`,
      );
    return one('front', () => range(0, rows));
  },
  all: () => one('all', (_, length) => range(0, length)),
  after: () => one('after', ({ clean }, length) => range(clean.length - 1, length)),
  each: (examples, { tokenText }) => {
    const { axis } = PLACES.position(examples, { spans: undefined, tokenText });
    return { at: 'each', labels: axis?.labels ?? [], positions: (place) => [place] };
  },
};

/**
 * The places that `at` names: `front` (as many positions as the vector has rows), `all`, `after` (the prompt's last token and all
 * that is written after it), `each` (every position by itself), or a span: `end`, `S2`, `3`, `S1..S2`.
 * @param at undefined: `front` for several rows, as activation addition has it; else `after`
 * @throws TheveninError interventions/steering, interventions/positions
 */
export function planPlaces(
  examples: readonly Example[],
  of: { readonly rows: number; readonly at?: string | undefined; readonly tokenText?: PlacesOptions['tokenText'] },
): SteeringPlaces {
  const { rows, at = rows > 1 ? 'front' : 'after', tokenText } = of;
  if (rows > 1 && at !== 'front')
    refuse(
      'interventions/steering',
      `a vector with a row for each of ${rows} tokens is added from the front of a prompt, not at "${at}"; read one place of the contrast (end, mean, or a span), whose vector can be added anywhere`,
    );
  const named = Object.hasOwn(NAMED, at) ? NAMED[at] : undefined;
  if (named) return named(examples, { rows, tokenText });
  const span = parsePlace(at);
  for (const example of examples) positionsOf(span, example);
  return one(at, (example) => positionsOf(span, example));
}

/** What is added to a batch, each example's share times a factor of its own. */
export function additionOf(
  { site, rows, values }: SteeringVector,
  { examples, length }: Batch,
  of: { readonly positions: (example: number) => readonly number[]; readonly factor?: (example: number) => number },
): Addition {
  const d = values.length / rows;
  const added = new Float64Array(examples.length * length * d);
  let from = length;
  examples.forEach((_, e) => {
    const factor = of.factor?.(e) ?? 1;
    if (factor === 0) return;
    of.positions(e).forEach((position, i) => {
      from = Math.min(from, position);
      const row = rows === 1 ? 0 : i;
      for (let j = 0; j < d; j++) added[(e * length + position) * d + j] = factor * (values[row * d + j] as number);
    });
  });
  return { site, values: added, from };
}
