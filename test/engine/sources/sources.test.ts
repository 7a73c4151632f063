/** Where the values of what is cut come from: zeros and means, against the written-out model. */
import { Engine } from '../../../src/engine/core/engine.js';
import type { Batch } from '../../../src/engine/core/batches.js';
import type { SourceKind } from '../../../src/engine/sources/kinds.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { makeSource } from '../../../src/engine/sources/index.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import type { Example } from '../../../src/task/types.js';
import { batchOf, expectNear } from '../../helpers/engine.js';
import { SHAPES } from '../../helpers/models/hand-made.js';
import { refused } from '../../helpers/model-files.js';
import type { Edit } from '../oracle.js';
import { logitDifference, pairAt, randomQuestions, sceneOf, type Scene } from '../scene.js';

type Rows = number[][];

/** Reference prompts: two batches of the scene's length, and one of shorter prompts. */
const LONG = [batchOf([pairAt(0, 21), pairAt(1, 22)]), batchOf([pairAt(2, 23)])];
const cutShort = ({ clean, corrupt }: ReturnType<typeof pairAt>) => ({
  clean: clean.slice(2),
  corrupt: corrupt.slice(2),
});
const SHORT = batchOf([cutShort(pairAt(3, 24)), cutShort(pairAt(2, 25))]);

const outputsOf = ({ oracle }: Scene, batches: readonly Batch[], side: 'clean' | 'corrupt') =>
  batches.flatMap(({ examples }) => examples.map((example) => oracle.run(example[side]).outputs));
const average = (rows: Rows): number[] =>
  rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length);
const mapOver = (scene: Scene, rowsOf: (sender: string) => Rows): Map<string, Rows> =>
  new Map(scene.universe.senders.map(({ name }) => [name, rowsOf(name)]));
const sixTimes = (row: number[]): Rows => Array.from({ length: 6 }, () => row);

/** Templates by turns: even, odd, even … */
const templated = (batch: Batch): Batch => ({
  ...batch,
  examples: batch.examples.map((example) => ({ ...example, group: example.index % 2 === 0 ? 'even' : 'odd' })),
});
const TEMPLATED = [...LONG, SHORT].map(templated);

interface Case {
  readonly batches: readonly Batch[];
  readonly expected: (
    scene: Scene,
    side: 'clean' | 'corrupt',
    example: Example,
  ) => Promise<Map<string, Rows>> | Map<string, Rows>;
}

const CASES: Partial<Record<SourceKind, Case>> = {
  zero: {
    batches: [],
    expected: (scene) => mapOver(scene, () => sixTimes(Array<number>(scene.model.config.dModel).fill(0))),
  },
  'zero-with-positions': {
    batches: [],
    // the stream keeps the positions; the embedding takes them away
    expected: async (scene) => {
      const { dModel, positional } = scene.model.config;
      const table =
        positional === 'learned' ? await scene.model.weights.read('pos_embed.W_pos') : new Float32Array(6 * dModel);
      const without = Array.from({ length: 6 }, (_, i) =>
        [...table.subarray(i * dModel, (i + 1) * dModel)].map((x) => -x),
      );
      return mapOver(scene, (name) => (name === 'input' ? without : sixTimes(Array<number>(dModel).fill(0))));
    },
  },
  mean: {
    batches: [...LONG, SHORT],
    expected: (scene, side) => {
      const runs = outputsOf(scene, [...LONG, SHORT], side);
      return mapOver(scene, (name) => sixTimes(average(runs.flatMap((run) => run.get(name)!))));
    },
  },
  'positional-mean': {
    batches: [...LONG, SHORT],
    expected: (scene, side) => {
      const runs = outputsOf(scene, LONG, side);
      return mapOver(scene, (name) =>
        Array.from({ length: 6 }, (_, i) => average(runs.map((run) => run.get(name)![i]!))),
      );
    },
  },
  'template-mean': {
    batches: TEMPLATED,
    expected: (scene, side, { group }) => {
      const own = TEMPLATED.slice(0, 2).map((batch) => ({
        ...batch,
        examples: batch.examples.filter((example) => example.group === group),
      }));
      const runs = outputsOf(scene, own, side);
      return mapOver(scene, (name) =>
        Array.from({ length: 6 }, (_, i) => average(runs.map((run) => run.get(name)![i]!))),
      );
    },
  },
};

for (const shape of Object.keys(SHAPES))
  describe(shape, () => {
    let [runtime, engine, scene] = [null, null, null] as unknown as [Runtime, Engine, Scene];
    before(async () => {
      runtime = await createRuntime('onnx', { threads: 1 });
      scene = await sceneOf(shape);
      engine = new Engine(scene.model, runtime);
    });
    after(async () => {
      await engine.dispose();
      await runtime.dispose();
    });

    for (const [kind, { batches, expected }] of Object.entries(CASES))
      for (const side of batches.length === 0 ? (['corrupt'] as const) : (['clean', 'corrupt'] as const))
        it(`${kind}${batches.length === 0 ? '' : ` of ${side} reference prompts`}: edges and circuits`, async () => {
          const source = await makeSource(engine, kind as SourceKind, { batches, side });
          const options = { metric: 'logit-difference', direction: 'noising', source } as const;
          const batch = templated(scene.batch);
          const alternatives: Map<string, Rows>[] = [];
          for (const example of batch.examples) alternatives.push(await expected(scene, side, example));
          const { edge, circuit } = randomQuestions(scene, 8, 6);
          await withSession(engine, batch, options, async ({ ask }) => {
            const answers = await ask([...edge, ...circuit]);
            const byHand = [...edge, ...circuit].flatMap((question) => {
              const keep = new Float64Array(scene.universe.edgeCount).fill(1);
              if (question.kind === 'edge') keep[question.edge] = 1 - (question.weight ?? 1);
              if (question.kind === 'circuit') keep.set(question.keep);
              return batch.examples.map((one, i) =>
                logitDifference(scene.oracle.run(one.clean, { keep, alternative: alternatives[i]! }), one),
              );
            });
            expectNear(
              answers.flatMap((one) => [...one]),
              byHand,
              1e-4,
            );
          });
        });

    it('patterns: what a mean brings in is the mean pattern of prompts of that length; zero brings in no attention', async () => {
      const patterns = LONG.flatMap(({ examples }) =>
        examples.map(({ corrupt }) => scene.oracle.run(corrupt).sites.get('pattern 1 0')!),
      );
      const mean = Array.from({ length: 6 }, (_, i) => average(patterns.map((rows) => rows[i]!)));
      const none = mean.map((row) => row.map(() => 0));
      const site = { kind: 'pattern', layer: 1, heads: [0] } as const;
      const instead = { mean, 'positional-mean': mean, zero: none, 'zero-with-positions': none } as const;
      for (const [kind, rows] of Object.entries(instead)) {
        const batches = [...LONG, SHORT];
        const source = await makeSource(engine, kind as SourceKind, { batches, side: 'corrupt' });
        const options = { metric: 'logit-difference', direction: 'noising', source } as const;
        const [answers] = await withSession(engine, scene.batch, options, ({ ask }) =>
          ask([{ kind: 'sites', sites: [site] }]),
        );
        const edit: Edit = (name, { layer, head }) =>
          name === 'pattern' && layer === 1 && head === 0 ? (position) => rows[position]! : null;
        const byHand = scene.batch.examples.map((one) => logitDifference(scene.oracle.run(one.clean, { edit }), one));
        expectNear(answers!, byHand, 1e-4, kind);
      }
    });

    it('a positional mean of a length that no reference prompt has is refused, also in the library', async () => {
      const source = await makeSource(engine, 'positional-mean', { batches: [SHORT], side: 'clean' });
      const options = { metric: 'logit-difference', direction: 'noising', source } as const;
      const session = withSession(engine, scene.batch, options, async () => null);
      await refused(session, 'discovery/source', 'pair 0', 'no reference prompts of 6 tokens');
    });
  });
