/** Grids of a real model against TransformerLens' (see the goldens' README for how they were made). */
import { readFileSync } from 'node:fs';
import type { Context } from 'mocha';
import { Engine } from '../../src/engine/core/engine.js';
import { runGrids, type Patching } from '../../src/interventions/patching/patching.js';
import { planGrids, type GridRequest } from '../../src/interventions/patching/plan.js';
import type { Direction } from '../../src/engine/sources/kinds.js';
import { loadModel } from '../../src/model/load.js';
import { createRuntime } from '../../src/runtime/index.js';
import type { Example } from '../../src/task/types.js';
import { batchOf, contrast, expectNear } from '../helpers/engine.js';
import { sharedPath, skipWithout, smollm2Dir } from '../helpers/shared.js';

interface Pair {
  readonly clean_ids: number[];
  readonly corrupted_ids: number[];
  readonly correct_id: number;
  readonly incorrect_id: number;
}

/** A few layers, early and late: all of them take minutes. */
const LAYERS = [4, 15, 20, 27];

describe('TransformerLens’ grids of SmolLM2-135M', function () {
  this.timeout(300_000);
  let examples: readonly Example[];
  const read = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(sharedPath('goldens', 'smollm2-135m', `${name}.json`)!, 'utf8')) as Record<string, unknown>;
  let grids: (request: GridRequest, direction: Direction, count?: number) => Promise<Patching>;

  before(async function (this: Context) {
    const folder = skipWithout(this, smollm2Dir(), 'SmolLM2-135M is not there');
    skipWithout(this, sharedPath('goldens', 'smollm2-135m', 'head_patching.json'), 'its goldens are not there');
    examples = batchOf(
      (read('pairs')['pairs'] as Pair[]).map((pair) => ({
        clean: pair.clean_ids,
        corrupt: pair.corrupted_ids,
        answers: [contrast(pair.clean_ids.length - 1, pair.correct_id, pair.incorrect_id)],
      })),
    ).examples;
    const model = await loadModel(folder);
    const runtime = await createRuntime('auto', { threads: 2 });
    const engine = new Engine(model, runtime);
    grids = (request, direction, count = 8) => {
      const chosen = examples.slice(0, count);
      const planned = planGrids(model.config, chosen, { ...request, layers: LAYERS });
      return runGrids(engine, chosen, { metric: 'logit-difference', direction, grids: planned });
    };
    after(async () => {
      await engine.dispose();
      await runtime.dispose();
      await model.dispose();
    });
  });

  const rows = (table: unknown): number[] =>
    LAYERS.flatMap((layer) => ((table as unknown[][])[layer] as number[]).flat(2));

  for (const direction of ['denoising', 'noising'] as const) {
    it(`heads at all positions, ${direction}`, async () => {
      const found = await grids({ grid: 'z' }, direction);
      expectNear(found.grids[0]!.perExample, rows(read('head_patching')[`${direction}_per_pair`]), 1e-4);
    });

    for (const [grid, table] of Object.entries({ 'attention-out': 'attn_out', 'mlp-out': 'mlp_out' }))
      it(`${grid} at all positions, ${direction}`, async () => {
        const found = await grids({ grid, by: 'all' }, direction);
        expectNear(found.grids[0]!.perExample, rows(read('resid_patching')[`${table}_${direction}`]), 1e-4);
      });
  }

  for (const [grid, table] of Object.entries({
    'resid-pre': 'resid_pre_first_pair',
    'attention-out': 'attn_out_by_position',
    'mlp-out': 'mlp_out_by_position',
  }))
    it(`${grid} by position`, async () => {
      const found = await grids({ grid, by: 'position' }, 'denoising', 1);
      expectNear(found.grids[0]!.perExample, rows(read('resid_patching')[table]), 1e-4);
    });
});
