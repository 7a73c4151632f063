/** Methods of the registry on models that are known by heart. */
import { findMethod } from '../../src/attribution/edges/index.js';
import type { MethodSetting } from '../../src/attribution/edges/types.js';
import { Engine } from '../../src/engine/core/engine.js';
import type { SourceKind } from '../../src/engine/sources/kinds.js';
import { makeSource } from '../../src/engine/sources/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import type { Example } from '../../src/task/types.js';
import type { Known } from './models.js';

/** Four midpoints: two on either side of what happens half-way. Learned masks have as many edges as one way through needs. */
export const SETTING: MethodSetting = {
  ...{ steps: 4, rule: 'midpoint', seed: 0 },
  acdc: { tau: 0.1, holds: 'metric' },
  masks: { edges: 4, updates: 200, holds: 'metric', lambda: 1 },
};

export interface Asked {
  readonly runtime: Runtime;
  readonly examples?: readonly Example[];
  readonly setting?: Partial<MethodSetting>;
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
  { runtime, examples = [example], setting = {}, source }: Asked,
): Promise<Answered> {
  const engine = new Engine(model, runtime);
  try {
    const { scores, found } = await findMethod(key).run({
      ...{ engine, examples, metric: 'logit-difference', setting: { ...SETTING, ...setting } },
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
