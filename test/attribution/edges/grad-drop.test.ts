/** GradDrop: by hand, and where nothing can be dropped. */
import { expect } from 'chai';
import { findMethod } from '../../../src/attribution/edges/index.js';
import { Engine } from '../../../src/engine/core/engine.js';
import { withSession } from '../../../src/engine/questions/session.js';
import type { Model } from '../../../src/model/types.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import type { Example } from '../../../src/task/types.js';
import { batchOf, contrast } from '../../helpers/engine.js';
import { randomModel, SHAPES } from '../../helpers/models/hand-made.js';
import { cancelling, chain } from '../../helpers/models/relu-chain.js';
import { everyOption } from '../../helpers/options.js';

const METRIC = 'logit-difference';
let runtime: Runtime;
before(async () => void (runtime = await createRuntime('reference', { threads: 1 })));
after(() => runtime.dispose());

async function using<T>(model: Model, work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = new Engine(model, runtime);
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

async function scoresOf(engine: Engine, examples: readonly Example[], key: string): Promise<(edge: string) => number> {
  const signal = new AbortController().signal;
  const { scores } = await findMethod(key).run({
    ...{ engine, examples, metric: METRIC, options: everyOption(), signal },
    onProgress: () => undefined,
  });
  return (edge) => scores.mean[engine.universe.edgeIndex(edge)!]!;
}

const { examples } = batchOf([{ clean: [0], corrupt: [1], answers: [contrast(0, 0, 1)] }]);

describe('a node whose direct and indirect effects cancel', () => {
  it('has an effect', () =>
    using(cancelling(), (engine) =>
      withSession(engine, { examples, length: 1 }, { metric: METRIC, direction: 'noising' }, async ({ ask, base }) => {
        const [cut] = await ask([{ kind: 'edge', edge: engine.universe.edgeIndex('input->m0')! }]);
        expect(base[0]! - cut![0]!).to.equal(1);
      }),
    ));

  for (const key of ['eap', 'atp-star'])
    it(`${key} misses it`, () =>
      using(cancelling(), async (engine) => expect((await scoresOf(engine, examples, key))('input->m0')).to.equal(0)));

  it('GradDrop finds it: 2 without the second layer, nothing without the first', () =>
    using(cancelling(), async (engine) =>
      expect((await scoresOf(engine, examples, 'atp-star-graddrop'))('input->m0')).to.equal(2),
    ));
});

describe('GradDrop on three layers', () => {
  // x → m0 = x; m1 = 3 m0; m2 = m0 + m1; logit = 5 m0 − 2 m1 + 7 m2
  const model = (): Model =>
    chain(
      [
        { reads: [1, 0, 0, 0], writes: [0, 1, 0, 0] },
        { reads: [0, 1, 0, 0], writes: [0, 0, 3, 0] },
        { reads: [0, 1, 1, 0], writes: [0, 0, 0, 1] },
      ],
      { clean: 1, logit: [0, 5, -2, 7] },
    );
  const expected = {
    'input->m0': (5 + 7 + Math.abs(5 - 6)) / 2, // without layer 1, without layer 2
    'm0->m1': 3 * ((-2 + 7 + 2) / 2), // without layer 0, without layer 2
    'm0->m2': 7, // without layer 0, without layer 1
    'm1->m2': 3 * 7,
    'm0->logits': 5, // whatever is dropped
    'm1->logits': 3 * 2, // without a sign
    'm2->logits': 4 * 7,
    'input->m1': 0,
  };
  it('each edge: the mean size over the layers other than its reader’s', () =>
    using(model(), async (engine) => {
      const score = await scoresOf(engine, examples, 'atp-star-graddrop');
      for (const [edge, value] of Object.entries(expected)) expect(score(edge), edge).to.be.closeTo(value, 1e-12);
    }));
});

describe('where dropping changes nothing, GradDrop is the size of AtP*', () => {
  for (const [name, shape] of Object.entries(SHAPES))
    it(`${name}: edges into the last layer and the logits; with one layer, all`, async () => {
      const one = batchOf([
        { clean: [1, 2, 3, 4, 5], corrupt: [1, 2, 6, 4, 5], answers: [contrast(4, 1, 2)] },
      ]).examples;
      for (const layers of [shape.nLayers!, 1])
        await using(randomModel({ ...shape, nLayers: layers }, 4), async (engine) => {
          const [atp, drop] = [
            await scoresOf(engine, one, 'atp-star'),
            await scoresOf(engine, one, 'atp-star-graddrop'),
          ];
          const { readers, edgeReader, edgeName } = engine.universe;
          const last = [...edgeReader.keys()].filter((edge) => readers[edgeReader[edge]!]!.layer >= layers - 1);
          for (const edge of last) {
            const size = Math.abs(atp(edgeName(edge)));
            expect(drop(edgeName(edge)), edgeName(edge)).to.be.closeTo(size, 1e-6 * (1 + size));
          }
        });
    });
});
