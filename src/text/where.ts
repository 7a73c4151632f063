/** The positions that the `@` of an address stands for. */
import type { Point, Span } from '../circuit/address.js';
import { refuse } from '../errors.js';
import type { Example } from '../task/types.js';

/**
 * Positions of a span in one example. A name is one of the example's spans, or `end`, its last token; `a..b` reaches from the
 * first position of a to the last of b.
 * @throws TheveninError interventions/positions
 */
export function positionsOf({ from, to }: Span, example: Example): number[] {
  const [start, alone] = rangeOf(from, example);
  const after = to === null ? alone : rangeOf(to, example)[1];
  if (after <= start)
    refuse(
      'interventions/positions',
      `positions ${from}..${to} are empty in pair ${example.index}: ${to} ends before ${from} begins`,
    );
  return Array.from({ length: after - start }, (_, i) => start + i);
}

function rangeOf(point: Point, { clean, spans, index }: Example): readonly [first: number, afterLast: number] {
  if (typeof point === 'number')
    return point < clean.length
      ? [point, point + 1]
      : refuse(
          'interventions/positions',
          `there is no position ${point} in pair ${index}, which has ${clean.length} tokens: 0 … ${clean.length - 1}`,
        );
  const names = Object.keys(spans);
  const range = Object.hasOwn(spans, point) ? spans[point] : undefined;
  if (range) return range;
  if (point === 'end') return [clean.length - 1, clean.length];
  return refuse(
    'interventions/positions',
    `span ${point} is absent from pair ${index}, which has ${names.length === 0 ? 'no spans' : names.join(', ')}; end is its last token`,
  );
}
