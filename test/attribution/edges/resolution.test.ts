/** Scores and exact effects of edges by position and by span of the prompt. */
import { expect } from 'chai';
import { METHODS } from '../../../src/attribution/edges/index.js';
import { cutName, withElsewhere } from '../../../src/attribution/edges/resolution.js';
import type { Attribution, Effect } from '../../../src/attribution/edges/types.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import type { PositionGroups } from '../../../src/engine/model-run/groups.js';
import type { Batch } from '../../../src/engine/core/batches.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import type { Example } from '../../../src/task/types.js';
import { availableRuntimes } from '../../runtime/available.js';
import { batchOf, contrast, expectNear, withEngine } from '../../helpers/engine.js';
import { SHAPES as MODELS } from '../../helpers/models/hand-made.js';
import { logitDifference, pairAt, sceneOf, type Scene } from '../../engine/scene.js';
import { everyOption, type EveryContext } from '../../helpers/options.js';

const METRIC = 'logit-difference';
const SHAPES = Object.keys(MODELS).slice(0, 3);

/** Two spans at places of their own in every prompt, and what lies in neither. */
const spansOf = ({ clean }: Example): [number[], number[]] => [
  [clean.length - 3],
  [clean.length - 2, clean.length - 1],
];
const SPANS: PositionGroups = { names: ['name', 'tail'], positions: spansOf };
const byPosition = (length: number): PositionGroups => ({
  names: Array.from({ length }, (_, position) => String(position)),
  positions: ({ clean }) => clean.map((_, position) => [position]),
});

/** Prompts of two lengths. */
const UNEQUAL = [
  ...batchOf([pairAt(2, 1), pairAt(3, 2)]).examples,
  ...batchOf([{ clean: [1, 2, 3, 7], corrupt: [1, 5, 3, 8], answers: [contrast(3, 6, 5)] }]).examples,
];

let runtime: Runtime;
before(async () => void (runtime = await createRuntime('reference', { threads: 1 })));

const context = (engine: Engine, examples: readonly Example[], more: Partial<EveryContext> = {}): EveryContext => ({
  ...{ engine, examples, metric: METRIC, options: everyOption({ steps: 3 }) },
  signal: new AbortController().signal,
  onProgress: () => undefined,
  ...more,
});

const onScene = async (shape: string, work: (engine: Engine, scene: Scene) => Promise<void>): Promise<void> => {
  const scene = await sceneOf(shape);
  await withEngine({ model: scene.model, runtime }, (engine) => work(engine, scene));
};

/** Each edge's sum over groups. */
const summed = ({ resolved }: Attribution): number[] => {
  const { names, mean } = resolved!;
  return Array.from({ length: mean.length / names.length }, (_, edge) =>
    mean.subarray(edge * names.length, (edge + 1) * names.length).reduce((sum, x) => sum + x, 0),
  );
};

describe('edges by position and by span', () => {
  for (const method of METHODS.filter(({ resolves, key }) => resolves && key !== 'exact'))
    for (const shape of SHAPES)
      it(`${method.key} of ${shape}: the scores at all positions add up to the edge's, in prompts of unequal lengths`, () =>
        onScene(shape, async (engine) => {
          const groups = withElsewhere(SPANS, UNEQUAL);
          expect(groups.names).to.deep.equal(['name', 'tail', 'elsewhere']);
          const found = await method.run(context(engine, UNEQUAL, { groups, keepsExamples: true }));
          expectNear(summed(found), found.scores.mean, 1e-12);
          const alone = await method.run(context(engine, UNEQUAL));
          expectNear(found.scores.mean, alone.scores.mean, 1e-12, 'the same without groups');
          const { perExample, mean } = found.resolved!;
          const means = Array.from(mean, (_, cell) => [0, 1, 2].reduce((sum, e) => sum + perExample![e * mean.length + cell]! / 3, 0)); // prettier-ignore
          expectNear(means, mean, 1e-6, 'means of the examples kept');
        }));

  for (const shape of SHAPES)
    it(`EAP of ${shape}: a position's score is the slope of the metric as the edge is cut there`, () =>
      onScene(shape, async (engine, { batch, universe }) => {
        const { resolved } = await METHODS.find(({ key }) => key === 'eap')!.run(
          context(engine, batch.examples, { groups: byPosition(batch.length) }),
        );
        const slopes = await slopesOf(engine, batch, universe.edgeCount);
        expectNear(resolved!.mean, slopes.map((slope) => -slope), 1e-7); // prettier-ignore
      }));

  for (const shape of SHAPES)
    it(`exact effects of ${shape} are those of the model written out the slow way`, () =>
      onScene(shape, async (engine, scene) => {
        const { batch } = scene;
        const exact = METHODS.find(({ key }) => key === 'exact')!;
        const groups = withElsewhere(SPANS, batch.examples);
        const { resolved, scores } = await exact.run(context(engine, batch.examples, { groups }));
        const expected = Array.from(resolved!.mean, (_, cell) => naive(scene, Math.floor(cell / 3), (example) => groups.positions(example)[cell % 3]!)); // prettier-ignore
        expectNear(resolved!.mean, expected, 1e-11);
        const everywhere = await exact.run(context(engine, batch.examples));
        expectNear(scores.mean, everywhere.scores.mean, 1e-12, 'the whole edge');
      }));

  it('exact effects of spans are kept in a journal by name, and taken from it', () =>
    onScene(SHAPES[0]!, async (engine) => {
      const exact = METHODS.find(({ key }) => key === 'exact')!;
      const groups = withElsewhere(SPANS, UNEQUAL);
      const known = new Map<string, Float64Array>();
      const add = async (effects: readonly Effect[]): Promise<void> =>
        effects.forEach((one) => known.set(cutName(engine.universe, one, groups), one.values));
      const straight = await exact.run(context(engine, UNEQUAL, { groups, journal: { known, add } }));
      expect(known.size).to.equal(engine.universe.edgeCount * 4);
      expect([...known.keys()]).to.include.members(['input->logits', 'input->logits@tail', 'input->a0.h0<k>@name']);
      const nothing = async (): Promise<never> => expect.fail('nothing is new');
      const again = await exact.run(context(engine, UNEQUAL, { groups, journal: { known: new Map(known), add: nothing } })); // prettier-ignore
      expect(again.resolved!.mean).to.deep.equal(straight.resolved!.mean);
    }));

  it('are the same on every runtime', async function () {
    this.timeout(60_000);
    const { model, batch } = await sceneOf(SHAPES[0]!);
    const groups = byPosition(batch.length);
    const run = (on: Runtime): Promise<Attribution> =>
      withEngine({ model, runtime: on }, (engine) => METHODS[0]!.run(context(engine, batch.examples, { groups })));
    const expected = await run(runtime);
    for (const { create } of await availableRuntimes()) {
      const other = await create();
      expectNear((await run(other)).resolved!.mean, expected.resolved!.mean, 1e-4);
      await other.dispose();
    }
  });
});

/** d mean metric / d weight of every edge at every position, by central differences. */
async function slopesOf(engine: Engine, batch: Batch, edges: number): Promise<number[]> {
  const step = 1e-4;
  const cells = Array.from({ length: edges * batch.length }, (_, cell) => cell);
  const at = (weight: number) =>
    cells.map((cell) => ({
      ...{ kind: 'edge' as const, edge: Math.floor(cell / batch.length), weight },
      positions: batch.examples.map(() => [cell % batch.length]),
    }));
  return withSession(engine, batch, { metric: METRIC, direction: 'noising' }, async (session) => {
    const [up, down] = [await session.ask(at(step)), await session.ask(at(-step))];
    const mean = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;
    return cells.map((cell) => (mean(up[cell]!) - mean(down[cell]!)) / (2 * step));
  });
}

/** What the metric loses on average when an edge is cut at some positions: every example by itself, without the engine. */
function naive(
  { oracle, universe, batch }: Scene,
  edge: number,
  positions: (example: Example) => readonly number[],
): number {
  const sender = universe.senders[universe.edgeSender[edge]!]!.name;
  const keep = new Float64Array(universe.edgeCount).fill(1);
  keep[edge] = 0;
  const losses = batch.examples.map((example) => {
    const other = oracle.run(example.corrupt).outputs.get(sender)!;
    const rows: number[][] = [];
    for (const position of positions(example)) rows[position] = other[position]!;
    const cut = oracle.run(example.clean, { keep, alternative: new Map([[sender, rows]]) });
    return logitDifference(oracle.run(example.clean), example) - logitDifference(cut, example);
  });
  return losses.reduce((sum, x) => sum + x, 0) / losses.length;
}
