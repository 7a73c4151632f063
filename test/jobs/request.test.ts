/** Jobs called from plain JavaScript, where no compiler has looked: every exported one, before any model is opened. */
import {
  causalTrace,
  discover,
  nodes,
  patch,
  predict,
  scrub,
  steer,
  tokens,
  trace,
  validate,
} from '../../src/index.js';
import { refused } from '../helpers/model-files.js';

type Plain = (request?: unknown) => Promise<unknown>;
const JOBS = { causalTrace, discover, nodes, patch, predict, scrub, steer, tokens, trace, validate } as Readonly<
  Record<string, unknown>
> as Readonly<Record<string, Plain>>;
/** What each needs beside the model. */
const NEEDED: Readonly<Record<string, object>> = {
  causalTrace: { facts: 'nowhere.json' },
  predict: { prompt: [1, 2] },
  scrub: { task: 'ioi', hypothesis: 'induction' },
  steer: { task: 'ioi', site: 'resid0.pre' },
};

describe('jobs of the library, called from plain JavaScript', () => {
  for (const [name, job] of Object.entries(JOBS)) {
    const needed = NEEDED[name] ?? { task: 'ioi' };
    const sound = { ...needed, model: 'ioi' };

    describe(name, () => {
      it('without a request, or with a text for one', async () => {
        await refused(job(), 'cli/usage', `${name} takes one object`, 'model');
        await refused(job('ioi'), 'cli/usage', `${name} takes one object, not "ioi"`);
      });

      for (const key of Object.keys(sound))
        it(`without ${key}`, () =>
          refused(job({ ...sound, [key]: undefined }), 'cli/usage', `${name}: ${key} must be given`));

      it('with an option that it has not: the nearest it has comes first', async () => {
        await refused(
          job({ ...sound, modle: 'ioi' }),
          'cli/usage',
          `${name}: there is no option modle; there are model`,
        );
        await refused(job({ ...sound, boss: true }), 'cli/usage', `${name}: there is no option boss; there are bos`);
      });
    });
  }

  it('with a value of another type', async () => {
    await refused(
      JOBS['discover']!({ task: 'ioi', model: 'ioi', edges: '100' }),
      'cli/usage',
      'discover: "edges" is "100"; expected a number',
    );
    await refused(
      JOBS['validate']!({ task: 'ioi', model: 'ioi', split: 'no' }),
      'cli/usage',
      'validate: "split" is "no"; expected a boolean',
    );
  });
});
