/** What causal scrubbing refuses before any compute. */
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { expect } from 'chai';
import { planScrub, type ScrubOptions } from '../../src/interventions/scrubbing/scrub.js';
import type { Example } from '../../src/task/types.js';
import { withEngine } from '../helpers/engine.js';
import { randomModel, SHAPES } from '../helpers/models/hand-made.js';
import { refused } from '../helpers/model-files.js';
import { example, hypothesisOf, prompts, type Nodes } from '../helpers/naive-scrub.js';

const OPTIONS: ScrubOptions = { metric: 'logit-difference', draws: 4, seed: 1, unimportant: 'shared' };

describe('causal scrubbing refuses', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());
  const model = randomModel(SHAPES['LayerNorm, learned positions, biases']!, 7);
  const plan = (nodes: unknown, examples: readonly Example[] = prompts(6, 4)) =>
    withEngine({ model, runtime }, (engine) =>
      Promise.resolve().then(() => planScrub(engine, examples, hypothesisOf(nodes as Nodes, engine.universe), OPTIONS)),
    );
  const above = { out: { at: 'logits', reads: ['a'] } };
  const spanned = (spans: Example['spans'][]): Example[] => prompts(spans.length, 2).map((one, i) => ({ ...one, spans: spans[i]! })); // prettier-ignore

  it('an address that is none, or that the model has not', async () => {
    await refused(plan({ ...above, a: { at: 'head 5' } }), 'circuit/address', 'head 5');
    await refused(plan({ ...above, a: { at: 'a7.h0' } }), 'interventions/hypothesis', 'a7.h0');
    await refused(plan({ ...above, a: { at: 'resid1.pre' } }), 'interventions/hypothesis', 'resid1.pre');
  });

  it('a child that is not upstream of its parent', () =>
    refused(
      plan({ ...above, a: { at: 'a1.h0', reads: { q: ['b'] } }, b: { at: 'm1' } }),
      ...(['interventions/hypothesis', '"b" (m1)', 'not upstream of a1.h0<q>'] as const),
    ));

  it('nodes that read each other, that none reads, that are not there, or are read twice', async () => {
    const a = { at: 'm1', reads: ['b'] };
    await refused(plan({ ...above, a, b: { at: 'm0', reads: ['a'] } }), 'interventions/hypothesis', 'a → b → a');
    await refused(
      plan({ ...above, a: { at: 'm1' }, b: { at: 'm0' } }),
      'interventions/hypothesis',
      '"b" is read by none',
    );
    await refused(plan({ ...above, a }), 'interventions/hypothesis', '"b", which is not among the nodes');
    const twice = { out: { at: 'logits', reads: ['a', 'b'] }, a: { at: 'm1' }, b: { at: 'm*@end' } };
    await refused(plan(twice), 'interventions/hypothesis', 'reads m1 twice');
  });

  it('reading in a way that a node does not', async () => {
    await refused(plan({ ...above, a: { at: 'a1.h0', reads: [] } }), 'interventions/hypothesis', '"reads" is {"q"');
    await refused(
      plan({ ...above, a: { at: 'input', reads: [] } }),
      'interventions/hypothesis',
      'the embedding reads nothing',
    );
    await refused(plan({ out: { at: 'logits' } }), 'interventions/hypothesis', 'at logits');
    await refused(plan({ ...above, a: { at: 'm1', reeds: [] } }), 'interventions/hypothesis', 'reeds');
    const stray = { ...above, a: { at: 'a1.h0', reads: { q: ['b'] } }, b: { at: 'a1.h0<k>' } };
    await refused(plan(stray), 'interventions/hypothesis', 'stands alone in its own head');
  });

  it('a span that some prompts lack', () =>
    refused(
      plan({ ...above, a: { at: 'm1@S' } }, spanned([{ S: [1, 2] }, {}])),
      ...(['interventions/positions', 'span S is absent'] as const),
    ));

  it('prompts of which no two have one length and layout; others are left out and counted', async () => {
    const nodes = { ...above, a: { at: 'm1@S' } };
    const apart = spanned([{ S: [1, 2] }, { S: [2, 3] }]);
    await refused(plan(nodes, apart), 'interventions/positions', 'no two of the 2 prompts');
    await refused(plan(nodes, [...apart.slice(0, 1), { ...prompts(1, 1, 5)[0]!, spans: { S: [1, 2] } }]), 'interventions/positions'); // prettier-ignore
    const { leftOut, pools } = await plan(nodes, spanned([{ S: [1, 2] }, { S: [2, 3] }, { S: [1, 2] }]));
    expect(leftOut).to.equal(1);
    expect(pools.map(({ indices }) => indices)).to.deep.equal([[0, 2]]);
  });

  it('a feature in which no two prompts agree, and a group that they do not have', async () => {
    const all = [0, 1, 2].map((id, i) => example(i, [id, 1, 1, 1], 0, 1));
    await refused(
      plan({ ...above, a: { at: 'm1', feature: [{ tokens: '0' }] } }, all),
      'interventions/feature',
      'tokens at 0',
    );
    const ungrouped = all.map((one) => ({ ...one, group: null }));
    await refused(plan({ ...above, a: { at: 'm1', feature: [{ label: 'group' }] } }, ungrouped), 'interventions/feature', 'group'); // prettier-ignore
  });
});
