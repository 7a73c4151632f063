import { refuse } from '../errors.js';
import { eapIg } from './methods/eap-ig.js';
import { eap } from './methods/eap.js';
import { exact } from './methods/exact.js';
import { magnitude } from './methods/magnitude.js';
import { random } from './methods/random.js';
import type { Method } from './types.js';

/** Every way to score edges; a new one is a file and a line here. */
export const METHODS: readonly Method[] = [eapIg, eap, exact, magnitude, random];

/** @throws TheveninError discovery/method */
export const findMethod = (key: string): Method =>
  METHODS.find((method) => method.key === key) ??
  refuse(
    'discovery/method',
    `no discovery method "${key}"; choose one of ${METHODS.map((method) => method.key).join(', ')}`,
  );

export type { Method, MethodContext, MethodSetting, RiemannRule } from './types.js';
