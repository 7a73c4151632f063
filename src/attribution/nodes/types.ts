import type { ChunkPlan } from '../../engine/core/chunks.js';
import type { Engine } from '../../engine/core/engine.js';
import type { Along } from '../../engine/gradients/node-gradient.js';
import type { Point } from '../../engine/gradients/gradient.js';
import type { SitesGrid } from '../../interventions/patching/plan.js';
import type { Example, MetricKey } from '../../task/types.js';
import type { Cost, Level, Method } from '../method.js';
import type { Declared, OptionsOf } from '../options.js';

export interface NodesOptions {
  readonly metric: MetricKey;
  readonly signal?: AbortSignal | undefined;
  /** examples finished, of all */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What every method is asked, whatever its options. */
export interface NodesContext extends NodesOptions {
  readonly engine: Engine;
  readonly examples: readonly Example[];
  /** of `planGrids`: sites, layers, how the prompt is divided */
  readonly grids: readonly SitesGrid[];
  /** keep the estimates of every example; default: where they fit a quarter of the memory (`planNodes`) */
  readonly keep?: boolean | undefined;
}

export interface NodeEstimates {
  readonly plan: SitesGrid;
  /** over the examples, [...axes] */
  readonly mean: Float64Array;
  /** [...axes, example]; null where it is not kept */
  readonly perExample: Float32Array | null;
}

export interface NodeAttribution {
  /** metric of each example without intervention */
  readonly clean: Float64Array;
  readonly corrupt: Float64Array;
  readonly sites: readonly NodeEstimates[];
  readonly memory: NodeMemory;
}

/** What attribution will hold, known before it starts. */
export interface NodeMemory {
  readonly cells: number;
  /** of the estimates of all examples, cells × examples × 4 */
  readonly perExampleBytes: number;
  readonly kept: boolean;
  /** of runs and gradients at once, examples going through in chunks */
  readonly chunkBytes: number;
  readonly chunks: ChunkPlan;
}

interface NodesLevel extends Level {
  readonly context: NodesContext;
  readonly extent: undefined;
  /** beside the passes of the two prompts */
  readonly cost: Cost & { readonly each: 'run' | 'site and layer' };
  readonly answer: NodeAttribution;
}

/** A way to estimate what replacing a node would do from gradients. */
export interface NodeMethod<D extends Declared = Declared> extends Method<NodesLevel, D> {
  /** what its points lie on the way of */
  readonly along: Along;
  /** @throws TheveninError discovery/steps */
  points(options: OptionsOf<D>): readonly Point[];
}

export const nodeMethod = <D extends Declared>(method: NodeMethod<D>): NodeMethod<D> => method;
