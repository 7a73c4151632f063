import type { Site } from '../../engine/questions/questions.js';
import type { Session } from '../../engine/questions/session.js';
import type { ModelConfig } from '../../model/types.js';
import type { Example } from '../../task/types.js';
import type { Axis, By } from '../../text/divide.js';

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
