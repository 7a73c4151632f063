import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { seedOption } from '../../../options.js';
import { edgeMethod } from '../../types.js';

/** Uniform scores in [0, 1): the baseline any method has to beat. */
export const random = edgeMethod({
  key: 'random',
  reference: 'baseline',
  options: { seed: seedOption },
  direction: null,
  joint: true,
  title: () => 'random scores',
  cost: () => ({ forwards: 0, backwards: 0 }),
  run: ({ engine, examples, options }) => {
    const generator = xoroshiro128plus(options.seed);
    generator.jump(); // the first draws of small seeds are alike: without it the first edge would always have the highest score
    const mean = Float64Array.from({ length: engine.universe.edgeCount }, () => uniformFloat64(generator));
    const plan = { of: 'examples', total: 0, perChunk: 0, tokensPerChunk: 0, bytes: 0 };
    return Promise.resolve({
      scores: { method: 'random', mean, perExample: null, exampleCount: examples.length },
      plan,
    });
  },
});
