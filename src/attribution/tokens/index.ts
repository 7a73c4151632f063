import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import { gradientInput } from './methods/gradient-times-input.js';
import { integrated } from './methods/integrated-gradients.js';
import { leaveOneOut } from './methods/leave-one-out.js';
import { lrp } from './methods/lrp.js';
import { occlusion } from './methods/occlusion.js';
import { shap } from './methods/shap.js';
import type { AskedOptions } from '../method.js';
import type { TokenMethod } from './types.js';

/** Every way to attribute a metric to the prompt's tokens; a new one is a file and a line here. */
const REGISTERED = [integrated, gradientInput, lrp, leaveOneOut, occlusion, shap] as const;

export const TOKEN_METHODS: readonly TokenMethod[] = REGISTERED;

/** The options of all methods, as `tokens` is asked for them. */
export type TokenOptions = AskedOptions<(typeof REGISTERED)[number]>;

/** @throws TheveninError attribution/method */
export const findTokenMethod = (key: string): TokenMethod =>
  TOKEN_METHODS.find((method) => method.key === key) ??
  refuse(
    'attribution/method',
    `no method "${key}" attributes to tokens; choose one of ${choicesFor(
      key,
      TOKEN_METHODS.map((method) => method.key),
    )}`,
  );

export type { Baseline, TokenMethod } from './types.js';
