/** The options of methods that learn masks. */
import { positiveOption, seedOption, wholeOption, type OptionsOf } from '../../options.js';
import { heldOption } from '../held.js';

export const MASK_OPTIONS = {
  holds: heldOption,
  updates: wholeOption('updates of the masks, each on one minibatch', {
    standard: 250,
    least: 1,
    code: 'discovery/search',
  }),
  rate: positiveOption('learning rate of Adam', { standard: 0.1, code: 'discovery/search' }),
  seed: seedOption,
};

export type MaskSetting = OptionsOf<typeof MASK_OPTIONS>;

export const masksTitle = ({ updates, rate, holds }: MaskSetting): string =>
  `${updates} updates, rate ${rate}, ${holds === 'kl' ? 'KL' : 'the metric'}`;
