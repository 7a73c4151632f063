import { gradDrop } from '../../../../engine/gradients/grad-drop.js';
import { withSession } from '../../../../engine/questions/session.js';
import { noising, scoreBatches } from '../../collect.js';
import { checkGradient, CLEAN } from '../../integrate.js';
import { edgeMethod } from '../../types.js';

/**
 * The whole of AtP*: the QK fix, and the mean size of the estimates when one layer after the other lets nothing back, so that a
 * node is not missed whose effects along different paths cancel. Signs are lost.
 */
export const atpStarGradDrop = edgeMethod({
  key: 'atp-star-graddrop',
  reference: 'Kramár, Lieberum, Shah & Nanda 2024, arXiv:2403.00745 (QK fix and GradDrop, eq. 11)',
  options: {},
  direction: 'noising',
  title: () => 'AtP* (QK fix and GradDrop, absolute)',
  // a dropped layer changes nothing above it: half the layers on average
  cost: (_, { layers }) => ({ forwards: 3, backwards: Math.ceil((layers + 1) / 2) }),
  check: ({ metric }) => checkGradient(metric, CLEAN),
  run: (context) =>
    scoreBatches(context, { method: 'atp-star-graddrop' }, (batch) =>
      withSession(context.engine, batch, noising(context), ({ bound }) =>
        gradDrop(bound, { toward: bound.alternative.heads }),
      ),
    ),
});
