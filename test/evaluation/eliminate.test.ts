/**
 * Backward elimination on a model whose every circuit can be worked out: the micro model is linear, its corrupt prompt the negative of
 * the clean one, so that a path counts where all its edges are kept and faithfulness is the share of the paths' weights that count.
 */
import { expect } from 'chai';
import { eliminate, type EliminationTarget } from '../../src/evaluation/eliminate.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import type { Engine } from '../../src/engine/core/engine.js';
import { withEngine } from '../helpers/engine.js';
import { BATCH, MICRO } from '../helpers/models/micro.js';

/**
 * Output 0 is 25: 1 directly, 1 and 3 through the heads of layer 0, and of layer 1 once and three times what they read (1, 1, 3).
 * The four paths of weight 1 go: 4 of 25. All that is left is worth 3 or more.
 */
const WITHOUT_THE_WEAKEST = [
  'input->a0.h0<v>',
  'input->a0.h1<v>',
  'input->a1.h1<v>',
  'a0.h0->a1.h1<v>',
  'a0.h1->a1.h0<v>',
  'a0.h1->a1.h1<v>',
  'a0.h1->logits',
  'a1.h0->logits',
  'a1.h1->logits',
];

describe('evaluation/eliminate', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  const ask = (within: number, names?: readonly string[], keep: EliminationTarget['keep'] = 'faithfulness') =>
    withEngine({ model: MICRO, runtime }, async (engine) => {
      const context = {
        engine,
        examples: BATCH.examples.slice(0, 1),
        metric: 'logit-difference' as const,
        signal: new AbortController().signal,
        onProgress: () => undefined,
      };
      const found = await eliminate(context, circuitOf(engine, names), { keep, within });
      return {
        ...found,
        names: [...found.edges.keys()].filter((e) => found.edges[e]).map((e) => engine.universe.edgeName(e)),
      };
    });

  const circuitOf = ({ universe }: Engine, names?: readonly string[]): Uint8Array => {
    const edges = new Uint8Array(universe.edgeCount).fill(names ? 0 : 1);
    for (const name of names ?? []) edges[universe.edgeIndex(name)!] = 1;
    return edges;
  };

  it('takes out what the target can spare, the least first, and says how far it is', async () => {
    const found = await ask(0.2);
    expect(found.names).to.have.members(WITHOUT_THE_WEAKEST);
    expect(found).to.include({ met: true, edgeCount: 9 });
    expect(found.distance).to.be.closeTo(4 / 25, 1e-9);
  });

  it('with nothing to spare, takes out only what does nothing: what queries and keys read of a single token', async () => {
    const { names, met, distance } = await ask(1e-9);
    expect(names).to.have.length(13);
    expect(names.filter((name) => /<[qk]>/.test(name))).to.deep.equal([]);
    expect(met).to.equal(true);
    expect(distance).to.be.lessThan(1e-9);
  });

  it('stops at a circuit from which nothing can go', async () => {
    expect((await ask(0.2, WITHOUT_THE_WEAKEST)).names).to.have.members(WITHOUT_THE_WEAKEST);
  });

  it('a circuit that does not meet the target to begin with stays, dead ends apart, and it says that it does not', async () => {
    const found = await ask(0.2, ['input->a1.h1<v>', 'a1.h1->logits', 'a0.h0->a1.h1<v>']);
    expect(found.names).to.have.members(['input->a1.h1<v>', 'a1.h1->logits']);
    expect(found).to.include({ met: false, edgeCount: 2, evaluations: 1 });
    expect(found.distance).to.be.closeTo(1 - 3 / 25, 1e-9);
  });

  it('by KL keeps the distribution: what moves both outputs alike can go, and nothing else', async () => {
    const { names, met } = await ask(1e-12, undefined, 'kl');
    expect(met).to.equal(true);
    expect(names).to.not.include('input->logits'); // adds the same to both
    expect(names).to.have.length(12);
  });
});
