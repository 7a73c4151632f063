import type { Site } from '../engine/questions.js';
import type { Session } from '../engine/run.js';
import type { ModelConfig } from '../model/types.js';
import type { Example } from '../task/types.js';

/** What a grid runs over, with a name for each of its places. */
export interface Axis {
  readonly name: 'layer' | 'head' | 'neuron' | 'position' | 'span' | 'query' | 'key' | 'sender' | 'receiver' | 'heads';
  readonly labels: readonly string[];
}

/** Where along the prompt values are replaced: at all positions at once, position by position, span by span. */
export type By = 'all' | 'position' | 'span';

/** Which activations a grid replaces, one site for each layer or for each head. */
export interface GridKind {
  readonly key: string;
  readonly title: string;
  /** how the prompt is divided unless the user says otherwise */
  readonly by: By;
  /** so many cells that layers must be chosen */
  readonly vast?: true;
  /** divides the prompt twice: by the positions that look and by those looked at */
  readonly pairs?: true;
  /** why the model has no such site; null where it has */
  readonly absent: (config: ModelConfig) => string | null;
  /** the axes before the one of positions or spans; the first is the layer's */
  readonly axes: (config: ModelConfig, layers: readonly number[]) => readonly Axis[];
  /** the sites of one layer, in the order of the axes after the layer's, at all positions */
  readonly sites: (config: ModelConfig, layer: number) => readonly Site[];
}

/** The last axis of a grid: which positions of an example stand at each of its places. */
export interface Places {
  /** null: all positions at once, no axis */
  readonly axis: Axis | null;
  /** undefined: all positions */
  positions(example: Example): readonly (readonly number[] | undefined)[];
}

/** Gets answers [cells][examples] for consecutive cells, and the place of the first of them. */
export type Take = (cell: number, answers: readonly Float64Array[]) => void;

/** A grid that the model and the task have been checked for. */
export interface PlannedGrid {
  readonly kind: Pick<GridKind, 'key' | 'title'>;
  readonly axes: readonly Axis[];
  /** product of the axes */
  readonly cells: number;
  /** what its questions take from an example beside the prompts; examples are run together where this is equal */
  layout(example: Example): unknown;
  /** asks for every cell, in steps small enough for progress and Ctrl-C */
  ask(session: Session, take: Take): Promise<void>;
}
