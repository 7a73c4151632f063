/** Every program of the engine, by the name under which its kernels are prepared. */
import type { Arithmetic } from '../../model/blocks.js';
import type { Program } from '../../program/index.js';
import * as attribution from './attribution.js';
import * as edges from './edges.js';
import * as forward from './forward.js';
import * as gradient from './gradient.js';
import * as metric from './metric.js';

const BUILDERS = { ...forward, ...edges, ...gradient, ...attribution, ...metric } as const satisfies Record<
  string,
  (...args: never[]) => unknown
>;

type Builders = typeof BUILDERS;
export type KernelName = keyof Builders;
/** The second argument of a builder, where it has one. */
export type Variant<Name extends KernelName> = Parameters<Builders[Name]> extends [Arithmetic, infer V] ? V : undefined;

export const buildProgram = <Name extends KernelName>(
  name: Name,
  arithmetic: Arithmetic,
  variant: Variant<Name>,
): Program => (BUILDERS[name] as (arithmetic: Arithmetic, variant: Variant<Name>) => Program)(arithmetic, variant);
