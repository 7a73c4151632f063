/** What a cut edge reads while work is gone through on shapes: a run of the same shapes, whatever its values would be. */
import type { Engine } from '../core/engine.js';
import { makeSource, type AlternativeMaker } from './index.js';

/** The source itself with an engine that computes values. */
export const sourceFor = async (
  engine: Engine,
  source: AlternativeMaker | undefined,
): Promise<AlternativeMaker | undefined> =>
  source && engine.runtime.info.shapesOnly === true
    ? makeSource(engine, 'zero', { batches: [], side: 'corrupt' })
    : source;
