import type { Held } from '../held.js';
import type { AcdcRule } from './search.js';

export interface AcdcSetting extends AcdcRule {
  /** what is held: the KL divergence of the model's output from the clean run (nats), or the task's metric */
  readonly holds: Held;
}

export const ACDC_DEFAULTS: AcdcSetting = { tau: 0.01, order: 'reverse', test: 'signed', holds: 'kl' };
