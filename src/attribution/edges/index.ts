import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import { acdc } from './methods/measured/acdc.js';
import { atpStar } from './methods/gradient/atp-star.js';
import { atpStarGradDrop } from './methods/gradient/atp-star-graddrop.js';
import { cleanCorrupted } from './methods/gradient/clean-corrupted.js';
import { eapIgActivations } from './methods/gradient/eap-ig-activations.js';
import { eapIg } from './methods/gradient/eap-ig.js';
import { eap } from './methods/gradient/eap.js';
import { edgePruning } from './methods/learned/edge-pruning.js';
import { exact } from './methods/measured/exact.js';
import { gim } from './methods/gradient/gim.js';
import { hisp } from './methods/gradient/hisp.js';
import { informationFlowRoutes } from './methods/plain/information-flow-routes.js';
import { magnitude } from './methods/plain/magnitude.js';
import { random } from './methods/plain/random.js';
import { relp } from './methods/gradient/relp.js';
import { subnetworkProbing } from './methods/learned/subnetwork-probing.js';
import type { AskedOptions } from '../method.js';
import type { EdgeMethod } from './types.js';

/** Every way to score edges; a new one is a file and a line here. */
const REGISTERED = [
  eapIg,
  eap,
  cleanCorrupted,
  eapIgActivations,
  atpStar,
  atpStarGradDrop,
  relp,
  gim,
  exact,
  acdc,
  edgePruning,
  subnetworkProbing,
  informationFlowRoutes,
  hisp,
  magnitude,
  random,
] as const;

export const METHODS: readonly EdgeMethod[] = REGISTERED;

/** The options of all methods, as `discover` is asked for them. */
export type EdgeOptions = AskedOptions<(typeof REGISTERED)[number]>;

/** @throws TheveninError discovery/method */
export const findMethod = (key: string): EdgeMethod =>
  METHODS.find((method) => method.key === key) ??
  refuse(
    'discovery/method',
    `no discovery method "${key}"; choose one of ${choicesFor(
      key,
      METHODS.map((method) => method.key),
    )}`,
  );

export type { EdgeMethod } from './types.js';
