/** Methods of the registry on models that are known by heart. */
import { findMethod, type EdgeOptions } from '../../src/attribution/edges/index.js';
import { pickOptions } from '../../src/attribution/options.js';
import { Engine } from '../../src/engine/core/engine.js';
import type { SourceKind } from '../../src/engine/sources/kinds.js';
import { makeSource } from '../../src/engine/sources/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import type { Example } from '../../src/task/types.js';
import type { Known } from './models.js';

/** Four midpoints: two on either side of what happens half-way. Learned masks have as many edges as one way through needs. */
const ASKED: EdgeOptions = { steps: 4, tau: 0.1, edges: 4, updates: 200, holds: 'metric' };

export interface Asked {
  readonly runtime: Runtime;
  readonly examples?: readonly Example[];
  readonly options?: EdgeOptions;
  readonly source?: SourceKind;
}

export interface Answered {
  /** edge → mean score, every edge of the model */
  readonly scores: ReadonlyMap<string, number>;
  /** edges of the circuit that a search found */
  readonly found: readonly string[] | null;
}

/** What a method says of every edge of a model. */
export async function scoresOf(
  { model, example }: Pick<Known, 'model' | 'example'>,
  key: string,
  { runtime, examples = [example], options = {}, source }: Asked,
): Promise<Answered> {
  const engine = new Engine(model, runtime);
  try {
    const method = findMethod(key);
    const { scores, found } = await method.run({
      ...{ engine, examples, metric: 'logit-difference', options: pickOptions(method, { ...ASKED, ...options }) },
      ...(source ? { source: await makeSource(engine, source, { batches: [], side: 'corrupt' }) } : {}),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    const { universe } = engine;
    const names = Array.from(scores.mean.keys(), (edge) => universe.edgeName(edge));
    return {
      scores: new Map(names.map((name, edge) => [name, scores.mean[edge]!])),
      found: found ? names.filter((_, edge) => found.edges[edge] === 1) : null,
    };
  } finally {
    await engine.dispose();
  }
}
