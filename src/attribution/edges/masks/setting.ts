import { refuse } from '../../../errors.js';
import type { Held } from '../held.js';

export interface MaskSetting {
  /** edges that a circuit may have, before dead ends are pruned */
  readonly edges: number;
  /** what the masked model should keep: its output (KL divergence from the clean run, nats), or the task's metric, raised */
  readonly holds: Held;
  /** updates of the masks */
  readonly updates: number;
  /** of Adam */
  readonly rate: number;
  /** of subnetwork probing alone: what the loss pays if every node is open, nats */
  readonly lambda: number;
  /** of edge pruning alone: circuits learned, each with noise of its own, of which the best is kept */
  readonly restarts: number;
}

export const MASK_DEFAULTS: MaskSetting = { edges: 200, holds: 'kl', updates: 250, rate: 0.1, lambda: 1, restarts: 3 };

export const maskSetting = ({ masks }: { readonly masks?: Partial<MaskSetting> }): MaskSetting => ({
  ...MASK_DEFAULTS,
  ...masks,
});

/** @throws TheveninError discovery/search */
export function checkMasks({ updates, rate, restarts }: MaskSetting): void {
  if (!(restarts >= 1 && Number.isInteger(restarts)))
    refuse('discovery/search', `--restarts ${restarts} learns no circuit; give a whole number, 1 or more`);
  if (!(updates >= 1 && Number.isInteger(updates)))
    refuse('discovery/search', `--updates ${updates} learns no mask; give a whole number of updates, 1 or more`);
  if (!(rate > 0 && Number.isFinite(rate)))
    refuse('discovery/search', `--rate ${rate} moves no mask; give a rate of Adam above 0, e.g. ${MASK_DEFAULTS.rate}`);
}

export const masksTitle = ({ updates, rate, holds }: MaskSetting): string =>
  `${updates} updates, rate ${rate}, ${holds === 'kl' ? 'KL' : 'the metric'}`;
