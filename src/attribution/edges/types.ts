import type { Scores } from '../../circuit/types.js';
import type { ChunkPlan } from '../../engine/core/chunks.js';
import type { Engine } from '../../engine/core/engine.js';
import type { Point } from '../../engine/gradients/gradient.js';
import type { PositionGroups } from '../../engine/model-run/groups.js';
import type { AlternativeMaker } from '../../engine/sources/index.js';
import type { Example, MetricKey } from '../../task/types.js';
import type { Cost, Level, Method } from '../method.js';
import type { Declared, Options, OptionsOf } from '../options.js';
import type { ResolvedScores } from './resolution.js';

/** What every method is asked, whatever its options. */
export interface EdgesContext {
  readonly engine: Engine;
  readonly examples: readonly Example[];
  readonly metric: MetricKey;
  /** what a cut edge reads; default the other prompt */
  readonly source?: AlternativeMaker | undefined;
  /** positions that scores tell apart; default none */
  readonly groups?: PositionGroups | undefined;
  /** keeps the scores of every example at every group of positions, too */
  readonly keepsExamples?: boolean;
  readonly signal: AbortSignal;
  /** where `exact` keeps what it has measured */
  readonly journal?: Journal | undefined;
  /** how far it is: in examples, edges, updates, whatever it goes through */
  onProgress(done: number, total: number): void;
  /** early results of a method that has them */
  onResults?(effects: readonly Effect[]): void;
}

export interface MethodContext<Own = Options> extends EdgesContext {
  readonly options: Own;
}

/** What an edge's cut costs on each example: metric clean − metric with the edge cut; positive = it helps. */
export interface Effect {
  readonly edge: number;
  /** the group of positions at which it is cut; undefined: everywhere */
  readonly group?: number | undefined;
  readonly values: Float64Array;
}

export interface Journal {
  /** effects on the examples, from a run before, by {@link cutName} */
  readonly known: ReadonlyMap<string, Float64Array>;
  add(effects: readonly Effect[]): Promise<void>;
}

export interface Attribution {
  readonly scores: Scores;
  /** where the user tells positions apart */
  readonly resolved?: ResolvedScores;
  readonly plan: ChunkPlan;
  /** what a search found: a circuit, which needs no selection by score */
  readonly found?: Found;
}

export interface Found {
  /** [edge] 1 = in, before dead ends are pruned */
  readonly edges: Uint8Array;
  readonly by: 'absolute' | 'signed';
  /** what a search that asks one question after the other took */
  readonly search?: Search;
}

export interface Search {
  /** edges tried: forward passes of the sequential algorithm */
  readonly tried: number;
  /** circuits measured, those asked in vain included, and in how many goes */
  readonly circuits: number;
  readonly passes: number;
}

/** What a method's cost depends on. */
export interface Extent {
  readonly edges: number;
  readonly layers: number;
  /** how many batches learned masks see the pairs in, one for each update */
  readonly minibatches: number;
}

interface EdgesLevel extends Level {
  readonly context: EdgesContext;
  readonly extent: Extent;
  readonly cost: Cost;
  readonly answer: Attribution;
}

/** A way to score every edge. Scores are means over the examples. */
export interface EdgeMethod<D extends Declared = Declared> extends Method<EdgesLevel, D> {
  /** keeps a journal and goes on from it */
  readonly resumes?: true;
  /** separates positions, where the user asks */
  readonly resolves?: true;
  /** finds one answer for all examples: none of them has scores of its own */
  readonly joint?: true;
  /** the points whose gradients it averages, where it is plain gradients: such a method can be asked about single neurons */
  points?(options: OptionsOf<D>): readonly Point[];
}

export const edgeMethod = <D extends Declared>(method: EdgeMethod<D>): EdgeMethod<D> => method;
