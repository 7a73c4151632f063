/** On a linear model estimates of effects are exact, but for methods whose definition gives some paths less. */
import { expect } from 'chai';
import { findMethod } from '../../../src/attribution/edges/index.js';
import { Engine } from '../../../src/engine/core/engine.js';
import { RIEMANN_RULES } from '../../../src/engine/gradients/riemann.js';
import { createRuntime } from '../../../src/runtime/index.js';
import { BATCH, HAND, MICRO } from '../../helpers/models/micro.js';
import { everyOption } from '../../helpers/options.js';

const DIFFERENCE = 2;
const edges = Object.keys(HAND);

describe('the 13 edges of the micro model', () => {
  let engine: Engine;
  before(async () => void (engine = new Engine(MICRO, await createRuntime('reference', { threads: 1 }))));
  after(() => engine.dispose());

  const scoresOf = async (key: string, rule: (typeof RIEMANN_RULES)[number]): Promise<(edge: string) => number> => {
    const options = everyOption({ steps: 3, rule });
    const signal = new AbortController().signal;
    const context = { engine, examples: BATCH.examples, metric: 'logit-difference', options, signal } as const;
    const { scores } = await findMethod(key).run({ ...context, onProgress: () => undefined });
    const { edgeCount } = engine.universe;
    return (edge) => scores.perExample![DIFFERENCE * edgeCount + engine.universe.edgeIndex(edge)!]!;
  };

  const methods = ['eap', 'clean-corrupted', 'atp-star', 'relp', 'exact'].map((key) => [key, 'midpoint'] as const);
  for (const [key, rule] of [...methods, ...RIEMANN_RULES.map((rule) => ['eap-ig', rule] as const)])
    it(`${key}${key === 'eap-ig' ? `, ${rule}` : ''}: what cutting each takes from the metric`, async () => {
      const score = await scoresOf(key, rule);
      for (const edge of edges) expect(score(edge), edge).to.be.closeTo(-HAND[edge]![2], 1e-5);
    });

  it('eap-ig-activations: the mean of three runs, in each of which nothing flows back through one group', async () => {
    const score = await scoresOf('eap-ig-activations', 'midpoint');
    expect(score('a1.h1->logits')).to.be.closeTo((26 + 26 + 26) / 3, 1e-5);
    expect(score('a0.h1->a1.h1<v>')).to.be.closeTo((14 + 14 + 0) / 3, 1e-5);
    expect(score('input->a0.h0<v>')).to.be.closeTo((18 + 0 + 2) / 3, 1e-5); // with a1 set, a0.h0 reaches the logits alone
  });

  it('atp-star-graddrop: its size; into the first layer only what goes past the second', async () => {
    const score = await scoresOf('atp-star-graddrop', 'midpoint');
    for (const edge of edges.filter((name) => !name.includes('->a0')))
      expect(score(edge), edge).to.be.closeTo(Math.abs(HAND[edge]![2]), 1e-5);
    for (const head of [0, 1]) expect(score(`input->a0.h${head}<v>`)).to.be.closeTo(2, 1e-5); // straight to the logits
  });

  it('gim: half of it for each value on the way', async () => {
    const score = await scoresOf('gim', 'midpoint');
    expect(score('a1.h1->logits')).to.be.closeTo(26, 1e-5);
    expect(score('a0.h1->a1.h1<v>')).to.be.closeTo(14 / 2, 1e-5);
    // of 26, 2 go straight to the logits and 24 through a value of a1
    expect(score('input->a0.h1<v>')).to.be.closeTo((2 + (26 - 2) / 2) / 2, 1e-5);
  });
});
