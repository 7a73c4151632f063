import { expect } from 'chai';
import { exactEffects } from '../../../src/attribution/edges/exact-effects.js';
import { eapIg } from '../../../src/attribution/edges/methods/gradient/eap-ig.js';
import { cutName } from '../../../src/attribution/edges/resolution.js';
import type { Effect, Journal } from '../../../src/attribution/edges/types.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import { loadModel } from '../../../src/model/load.js';
import { createRuntime } from '../../../src/runtime/index.js';
import type { Runtime } from '../../../src/runtime/types.js';
import { batchOf, byEdge, contrast, expectNear, withEngine } from '../../helpers/engine.js';
import { golden } from '../../helpers/model-files.js';
import { readPeer } from '../../helpers/peer.js';
import { randomModel } from '../../helpers/models/random-model.js';
import { everyOption, type EveryContext } from '../../helpers/options.js';

/** Batches of two lengths. */
const EXAMPLES = [
  ...batchOf([{ clean: [1, 2, 3], corrupt: [4, 2, 3], answers: [contrast(2, 5, 6)] }]).examples,
  ...batchOf([{ clean: [1, 2, 3, 7], corrupt: [1, 5, 3, 7], answers: [contrast(3, 6, 5)] }]).examples,
];

/** A journal that forgets nothing but the process. */
const memory = ({ universe }: Engine): Journal & { readonly known: Map<string, Float64Array> } => {
  const known = new Map<string, Float64Array>();
  return { known, add: async (effects) => effects.forEach((one) => known.set(cutName(universe, one), one.values)) };
};

describe('exact effects of all edges', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());
  const context = (engine: Engine, more: Partial<EveryContext> = {}): EveryContext => ({
    ...{ engine, examples: EXAMPLES, metric: 'logit-difference' },
    options: everyOption({ steps: 1, rule: 'left' }),
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...more,
  });
  const onModel = <T>(work: (engine: Engine) => Promise<T>): Promise<T> =>
    withEngine({ model: randomModel({}, 1), runtime }, work);

  it('are those of the peer', async () => {
    const { batch, edges } = readPeer('gpt2');
    const model = await loadModel(golden('architectures', 'gpt2'));
    await withEngine({ model, runtime }, async (engine) => {
      const { scores } = await exactEffects(context(engine, { examples: batch.examples }));
      const expected = edges('exact.noising').values.map((change) => -change);
      expectNear(byEdge(scores.perExample!, batch.examples.length), expected, 1e-7); // kept in float32
      expectNear(scores.mean, Array.from(scores.mean, (_, e) => (expected[4 * e]! + expected[4 * e + 1]! + expected[4 * e + 2]! + expected[4 * e + 3]!) / 4), 1e-9); // prettier-ignore
    });
    await model.dispose();
  });

  it('come in the order of an estimate, the strongest first', () =>
    onModel(async (engine) => {
      const seen: number[] = [];
      await exactEffects(
        context(engine, { onResults: (effects) => seen.push(...effects.map(({ edge }) => edge)) }),
        10,
      );
      const estimate = await eapIg.run(context(engine, { options: everyOption({ steps: 5, rule: 'midpoint' }) }));
      const ranks = seen.map((edge) => Math.abs(estimate.scores.mean[edge]!));
      expect(ranks).to.deep.equal([...ranks].sort((a, b) => b - a));
      expect(new Set(seen).size).to.equal(engine.universe.edgeCount);
    }));

  it('stopped and resumed are the same to the last bit, and nothing is measured twice', () =>
    onModel(async (engine) => {
      const straight = await exactEffects(context(engine), 10);
      const journal = memory(engine);
      const stop = new AbortController();
      let chunks = 0;
      const onResults = (): void => {
        if (++chunks === 3) stop.abort(new Error('stopped'));
      };
      const interrupted = exactEffects(context(engine, { journal, signal: stop.signal, onResults }), 10);
      expect(await interrupted.catch((error: Error) => error.message)).to.equal('stopped');
      expect(journal.known.size).to.equal(30);
      const added: Effect[] = [];
      const second = {
        known: new Map(journal.known),
        add: async (effects: readonly Effect[]) => void added.push(...effects),
      };
      const resumed = await exactEffects(context(engine, { journal: second }), 10);
      expect(resumed.scores).to.deep.equal(straight.scores);
      expect(added).to.have.lengthOf(engine.universe.edgeCount - 30);
      const before = engine.counters.kernelRuns;
      const known = new Map([
        ...journal.known,
        ...added.map((one) => [cutName(engine.universe, one), one.values] as const),
      ]);
      await exactEffects(context(engine, { journal: { known, add: async () => expect.fail('nothing is new') } }), 10);
      const again = engine.counters.kernelRuns - before;
      await exactEffects(context(engine), 10);
      expect(again).to.be.below((engine.counters.kernelRuns - before - again) / 2);
    }));
});
