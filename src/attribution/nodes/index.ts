import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import type { AskedOptions } from '../method.js';
import type { Engine } from '../../engine/core/engine.js';
import type { Example } from '../../task/types.js';
import type { Options } from '../options.js';
import { nodeMemory } from './nodes.js';
import { ap } from './methods/ap.js';
import { apIg } from './methods/ap-ig.js';
import { ig } from './methods/ig.js';
import type { NodeAttribution, NodeMemory, NodeMethod, NodesContext } from './types.js';

/** Every way to estimate effects of nodes; a new one is a file and a line here. */
const REGISTERED = [ap, apIg, ig] as const;

export const NODE_METHODS: readonly NodeMethod[] = REGISTERED;

/** The options of all methods, as `nodes` is asked for them. */
export type NodeOptions = AskedOptions<(typeof REGISTERED)[number]>;

/** @throws TheveninError interventions/estimator */
export const findNodeMethod = (key: string): NodeMethod =>
  NODE_METHODS.find((method) => method.key === key) ??
  refuse(
    'interventions/estimator',
    `no method that attributes to nodes is called "${key}"; choose one of ${choicesFor(
      key,
      NODE_METHODS.map((one) => one.key),
    )}`,
  );

export interface NodesQuestion extends Omit<NodesContext, 'engine' | 'examples'> {
  readonly method: NodeMethod;
  readonly options: Options;
}

/** What attribution will hold. @throws TheveninError interventions/grid, interventions/estimator, discovery/steps: before any compute */
export function planNodes(
  engine: Engine,
  examples: readonly Example[],
  { method, options, ...question }: NodesQuestion,
): NodeMemory {
  const memory = nodeMemory({ engine, examples, ...question }, method.points(options));
  method.check?.({ metric: question.metric, options });
  return memory;
}

/** Cost: two forward passes, and those of the method. @throws TheveninError as `planNodes` */
export function attributeNodes(
  engine: Engine,
  examples: readonly Example[],
  { method, options, ...question }: NodesQuestion,
): Promise<NodeAttribution> {
  method.check?.({ metric: question.metric, options });
  return method.run({ engine, examples, ...question, options });
}
