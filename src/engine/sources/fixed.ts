/** A made-up run in which every sender says fixed values. */
import { invariant } from '../../errors.js';
import type { Example } from '../../task/types.js';
import type { Tensor } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { sumOf } from '../model-run/block-backward.js';
import { output, type HeadTensors } from '../model-run/layers.js';
import { learnedPositions } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';
import type { Alternative } from '../model-run/bound-run.js';
import type { FixedSite, MeanPatterns } from './moments.js';

export interface FixedValues {
  /** what a site says in an example: [heads, length, dHead] or [length, d] as `size` elements, columns last */
  at(site: FixedSite, layer: number, of: { example: Example; size: number; columns: number }): Float64Array;
  /** attention patterns to go with these values; null: there are none */
  readonly pattern: MeanPatterns | null;
  /** learned positions stay in the stream; false: they go with the embedding */
  readonly positions: boolean;
}

/**
 * The streams are the values added up, with the learned positions (where they stay) and the attention output biases, which belong
 * to no node.
 */
export async function fixedAlternative(engine: Engine, batch: Batch, values: FixedValues): Promise<Alternative> {
  const arena = new Arena();
  const { nLayers, nHeads, dHead, dModel, dMlp } = engine.model.config;
  const { length, examples } = batch;
  const headShape = [1, examples.length, nHeads, length, dHead];
  const streamShape = [1, examples.length, length, dModel];
  const fill = (site: FixedSite, layer: number, shape: readonly number[]): Tensor =>
    arena.own(engine.runtime.tensor(engine.precise(gather(values, { site, layer, examples, shape })), shape));
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const z = layers.map((layer) => fill('z', layer, headShape));
  const m = dMlp === 0 ? [] : layers.map((layer) => fill('m', layer, streamShape));
  const heads: HeadTensors[] = layers.map((layer) => ({
    q: fill('q', layer, headShape),
    k: fill('k', layer, headShape),
    v: fill('v', layer, headShape),
  }));
  const start = gather(values, { site: 'embedding', layer: 0, examples, shape: streamShape });
  if (values.positions) {
    const positions = await learnedPositions(engine, length);
    for (let i = 0; i < start.length; i++)
      start[i] = (start[i] as number) + (positions[i % positions.length] as number);
  }
  const streams = await addUp(engine, arena, {
    start: arena.own(engine.runtime.tensor(engine.precise(start), streamShape)),
    z,
    m,
  });
  return {
    ...{ length, ...streams, z, m, heads, isRun: false, firstChange: 0 },
    pattern: patternMaker(engine, batch, values.pattern),
    hasPatterns: values.pattern !== null,
    dispose: () => arena.dispose(),
  };
}

function gather(
  values: FixedValues,
  of: { site: FixedSite; layer: number; examples: readonly Example[]; shape: readonly number[] },
): Float64Array {
  const size = of.shape.slice(2).reduce((a, b) => a * b, 1);
  const columns = of.shape.at(-1) as number;
  const result = new Float64Array(size * of.examples.length);
  of.examples.forEach((example, place) =>
    result.set(values.at(of.site, of.layer, { example, size, columns }), place * size),
  );
  return result;
}

const patternMaker =
  (engine: Engine, { examples, length }: Batch, pattern: MeanPatterns | null): Alternative['pattern'] =>
  async (layer) => {
    invariant(pattern, 'a site that an alternative lacks is refused before it is asked for');
    const all = await Promise.all(examples.map((example) => pattern(example, layer)));
    const values = Float64Array.from(all.flatMap((one) => [...one]));
    return engine.runtime.tensor(engine.precise(values), [
      1,
      examples.length,
      engine.model.config.nHeads,
      length,
      length,
    ]);
  };

/** The streams that fixed senders add up to. */
async function addUp(
  engine: Engine,
  arena: Arena,
  senders: { start: Tensor; z: readonly Tensor[]; m: readonly Tensor[] },
): Promise<{ pre: Tensor[]; mid: Tensor[]; final: Tensor }> {
  const [pre, mid]: [Tensor[], Tensor[]] = [[], []];
  let x = senders.start;
  for (const [layer, z] of senders.z.entries()) {
    pre.push(x);
    const middle = arena.own(await output({ engine, layer }, x, z));
    mid.push(middle);
    const m = senders.m[layer];
    x = m ? arena.own(await sumOf(engine, [middle, m])) : middle;
  }
  return { pre, mid, final: x };
}
