import { refuse } from '../errors.js';
import { acdc } from './methods/acdc.js';
import { atpStar } from './methods/atp-star.js';
import { atpStarGradDrop } from './methods/atp-star-graddrop.js';
import { cleanCorrupted } from './methods/clean-corrupted.js';
import { eapIgActivations } from './methods/eap-ig-activations.js';
import { eapIg } from './methods/eap-ig.js';
import { eap } from './methods/eap.js';
import { edgePruning } from './methods/edge-pruning.js';
import { exact } from './methods/exact.js';
import { gim } from './methods/gim.js';
import { hisp } from './methods/hisp.js';
import { informationFlowRoutes } from './methods/information-flow-routes.js';
import { magnitude } from './methods/magnitude.js';
import { random } from './methods/random.js';
import { relp } from './methods/relp.js';
import { subnetworkProbing } from './methods/subnetwork-probing.js';
import type { Method } from './types.js';

/** Every way to score edges; a new one is a file and a line here. */
export const METHODS: readonly Method[] = [
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
];

/** @throws TheveninError discovery/method */
export const findMethod = (key: string): Method =>
  METHODS.find((method) => method.key === key) ??
  refuse(
    'discovery/method',
    `no discovery method "${key}"; choose one of ${METHODS.map((method) => method.key).join(', ')}`,
  );

export type { Method, MethodSetting } from './types.js';
export type { RiemannRule } from '../engine/riemann.js';
