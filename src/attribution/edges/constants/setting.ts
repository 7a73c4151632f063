export interface ConstantSetting {
  /** of each constant; where a circuit is given, of all constants together */
  readonly updates: number;
  /** of Adam at first, in standard deviations of what the sender says; it falls to 0 along a line */
  readonly rate: number;
}

export const CONSTANT_DEFAULTS: ConstantSetting = { updates: 40, rate: 0.3 };
