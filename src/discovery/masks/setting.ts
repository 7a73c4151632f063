export interface MaskSetting {
  /** edges that a circuit may have, before dead ends are pruned */
  readonly edges: number;
  /** what the masked model should keep: its output (KL divergence from the clean run, nats), or the task's metric, raised */
  readonly holds: 'kl' | 'metric';
  /** updates of the masks */
  readonly updates: number;
  /** of Adam; the multipliers of the constraint rise by as much */
  readonly rate: number;
  /** of subnetwork probing alone: what the loss pays if every node is open, nats */
  readonly lambda: number;
}

export const MASK_DEFAULTS: MaskSetting = { edges: 200, holds: 'kl', updates: 500, rate: 0.1, lambda: 1 };
