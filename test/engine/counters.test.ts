/** What an engine says that it computed: counted where it is computed, whoever asks. */
import { expect } from 'chai';
import { METHODS } from '../../src/attribution/edges/index.js';
import { extentOf } from '../../src/attribution/edges/extent.js';
import { countsBetween, noCounts, workOf, type Counters } from '../../src/engine/core/counters.js';
import type { Engine } from '../../src/engine/core/engine.js';
import { withSession } from '../../src/engine/questions/session.js';
import * as p from '../../src/program/index.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { batchOf, contrast, withEngine } from '../helpers/engine.js';
import { randomModel } from '../helpers/models/random-model.js';
import { everyOption, type EveryContext } from '../helpers/options.js';

const pairs = [0, 1, 2, 3].map((i) => ({
  clean: [i, 3, 5, 1],
  corrupt: [i + 1, 3, 4, 1],
  answers: [contrast(3, 1, 2)],
}));
const batch = batchOf(pairs);

/** Methods whose passes depend on what they find, or that state the most they may need. */
const BOUNDS = ['acdc', 'exact', 'eap-ig-activations', 'atp-star-graddrop'];

describe('what an engine counts', () => {
  let runtime: Runtime;
  before(async () => void (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  const counts = (work: (engine: Engine) => Promise<unknown>): Promise<Counters> =>
    withEngine({ model: randomModel({ nLayers: 2 }, 3), runtime }, async (engine) => {
      const before = { ...engine.counters };
      await work(engine);
      return countsBetween(before, engine.counters);
    });
  const ask = (engine: Engine, work: Parameters<typeof withSession<unknown>>[3] = () => Promise.resolve()) =>
    withSession(engine, batch, { metric: 'logit-difference', direction: 'noising' }, work);

  it('a session passes both prompts of every pair forward, and nothing back', async () => {
    const { layerTokens, forwardPasses, backwardPasses, kernelRuns } = await counts((engine) => ask(engine));
    expect({ layerTokens, forwardPasses, backwardPasses }).to.deep.equal({
      layerTokens: 2 * 4 * 4,
      forwardPasses: 2 * 4,
      backwardPasses: 0,
    });
    expect(kernelRuns).to.be.above(2 * 2 * 3); // of both layers of both prompts project, attend, output at least
  });

  it('a site replaced at the middle of two layers costs half a pass of every pair', async () => {
    const { forwardPasses } = await counts((engine) =>
      ask(engine, ({ ask: answer }) => answer([{ kind: 'sites', sites: [{ kind: 'resid-pre', layer: 1 }] }])),
    );
    expect(forwardPasses).to.be.closeTo(2 * 4 + 4 / 2, 1e-9);
  });

  for (const method of METHODS)
    it(`${method.key}: passes are those that it states`, async () => {
      const options = everyOption({ steps: 3, updates: 4, edges: 3, restarts: 1 });
      const stated = { forwards: 0, backwards: 0 };
      const counted = await counts(async (engine) => {
        Object.assign(stated, method.cost(options, extentOf(engine, batch.examples)));
        const signal = new AbortController().signal;
        const context: EveryContext = {
          engine,
          examples: batch.examples,
          metric: 'logit-difference',
          options,
          signal,
          onProgress: () => undefined,
        };
        await method.run(context);
      });
      const [forwards, backwards] = [counted.forwardPasses / 4, counted.backwardPasses / 4];
      if (!BOUNDS.includes(method.key)) expect({ forwards, backwards }).to.deep.equal(stated);
      expect(forwards).to.be.at.most(stated.forwards);
      expect(backwards).to.be.at.most(stated.backwards);
    });

  it('nothing in the beginning', () =>
    counts(() => Promise.resolve()).then((none) => expect(none).to.deep.equal(noCounts())));

  it('work is the multiplications of matrix products, and more for every number written and every start', () => {
    const x = p.input('x', ['n', 2]);
    const product = p.matmul(x, p.parameter('w', [2, 3]));
    const program = p.makeProgram('test', { product, twice: p.add(product, product) });
    const at = (n: number, ...wanted: string[]): number => workOf(program, { n }, wanted);
    expect(at(9, 'product') - at(4, 'product')).to.equal((9 - 4) * 2 * 3);
    expect(at(9, 'twice') - at(9, 'product')).to.equal((at(1, 'twice') - at(1, 'product')) * 9);
    expect(at(1, 'product')).to.be.above(6);
  });
});
