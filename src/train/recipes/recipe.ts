import type { Random } from '../../task/random.js';
import type { Batch } from '../batch.js';
import type { Blueprint } from '../forward.js';
import type { Schedule } from '../loop.js';
import type { Meter } from '../meter.js';

/** A model that comes with Thevenin and how it is made. One recipe = one file + one line in recipes.ts. */
export interface Recipe {
  readonly key: string;
  readonly title: string;
  readonly blueprint: Blueprint;
  readonly schedule: Schedule;
  /** an endless stream of batches */
  readonly batches: (random: Random) => () => Batch;
  /** What a trained model is judged by; written beside it. Seeded, so that the same model gives the same figures. */
  verify(meter: Meter): Promise<object>;
  /** Writes the model's own files into a folder that exists. */
  save(folder: string, weights: ReadonlyMap<string, Float32Array>): Promise<void>;
}
