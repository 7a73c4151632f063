/** Models whose circuit is known because someone wrote it: an OR gate by hand, `reverse` compiled by tracr. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Engine } from '../../src/engine/core/engine.js';
import { edgeGradients, type Point } from '../../src/engine/gradients/gradient.js';
import type { Batch } from '../../src/engine/core/batches.js';
import type { Question } from '../../src/engine/questions/questions.js';
import type { Direction, SourceKind } from '../../src/engine/sources/kinds.js';
import { withSession, type Session } from '../../src/engine/questions/session.js';
import { makeSource } from '../../src/engine/sources/index.js';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/types.js';
import type { Runtime } from '../../src/runtime/types.js';
import type { Answer } from '../../src/task/types.js';
import { batchOf, contrast, effects, expectNear, largest, logitsOf } from '../helpers/engine.js';
import { golden } from '../helpers/model-files.js';
import { onEveryRuntime } from '../runtime/available.js';

interface Truth {
  readonly edge_sets: Readonly<Record<string, readonly string[]>>;
  readonly edge_table: Readonly<
    Record<string, { readonly zero: number; readonly input?: { readonly zero: { readonly tok: number } } }>
  >;
  readonly task: { readonly pairs: readonly TruthPair[] };
  readonly expected?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

interface TruthPair {
  readonly clean: number[];
  readonly corrupt: number[];
  readonly clean_output: (number | null)[];
  readonly corrupt_output: (number | null)[];
  /** positions where the outputs differ */
  readonly differ: number[];
}

const json = (...parts: string[]) => JSON.parse(readFileSync(golden('ground-truth', ...parts), 'utf8'));

/** The clean output against the corrupt one, wherever they differ. */
const answersOf = ({ differ, clean_output, corrupt_output }: TruthPair): Answer[] =>
  differ.map((position) => contrast(position, clean_output[position]!, corrupt_output[position]!));

const midpoints = (n: number): Point[] => Array.from({ length: n }, (_, k) => ({ at: (k + 0.5) / n, weight: 1 / n }));
const fifths = (ks: readonly number[]): Point[] => ks.map((k) => ({ at: k / 5, weight: 1 / 5 }));

/** Which points the tables of circuit.json mean. */
const ATTRIBUTIONS: Readonly<Record<string, readonly Point[]>> = {
  eap: [{ at: 1, weight: 1 }],
  eap_at_corrupt: [{ at: 0, weight: 1 }],
  eap_ig_inputs_left_5: fifths([0, 1, 2, 3, 4]),
  eap_ig_inputs_right_5: fifths([1, 2, 3, 4, 5]),
  eap_ig_inputs_midpoint_10: midpoints(10),
};

for (const name of ['or-gate', 'reverse'])
  await onEveryRuntime(
    `the ground truth ${name}`,
    ({ create }) => {
      const truth = json(name, 'circuit.json') as Truth;
      const batch = batchOf(truth.task.pairs.map((pair) => ({ ...pair, answers: answersOf(pair) })));
      let [model, runtime, engine] = [null, null, null] as unknown as [Model, Runtime, Engine];
      before(async () => {
        model = await loadModel(golden('ground-truth', name));
        runtime = await create();
        engine = new Engine(model, runtime);
      });
      after(async () => {
        await engine.dispose();
        await runtime.dispose();
        await model.dispose();
      });

      const session = <T>(of: Batch, direction: Direction, work: (session: Session) => Promise<T>) =>
        withSession(engine, of, { metric: 'logit-difference', direction }, work);
      const everyEdge = (): Question[] =>
        Array.from({ length: engine.universe.edgeCount }, (_, edge) => ({ kind: 'edge', edge }));
      /** [edge], mean over examples; positive: the edge helps. */
      const means = (perEdge: Float64Array, examples: number, sign: number): number[] =>
        Array.from({ length: engine.universe.edgeCount }, (_, edge) => {
          const own = perEdge.subarray(edge * examples, (edge + 1) * examples);
          return (sign * own.reduce((sum, x) => sum + x, 0)) / examples;
        });
      const named = (table: Readonly<Record<string, number>>): number[] =>
        Array.from({ length: engine.universe.edgeCount }, (_, edge) => table[engine.universe.edgeName(edge)] ?? 0);
      const moving = (effect: (edge: number) => number, threshold: number): string[] =>
        Array.from({ length: engine.universe.edgeCount }, (_, edge) => edge)
          .filter((edge) => effect(edge) > threshold)
          .map((edge) => engine.universe.edgeName(edge));

      it('its logits', async () => {
        const { tokens, logits } = json(name, 'model.json').reference;
        const after = (values: readonly unknown[]): unknown[] => values.slice(1); // what <bos> says is unspecified
        const expected = logits.flatMap(after).flat() as number[];
        const positions = after([...(tokens[0] as number[]).keys()]) as number[];
        expectNear(await logitsOf(engine, tokens, { positions }), expected, 3e-6);
      });

      it('read from another input, one edge alone: exactly the circuit moves the outputs', () =>
        session(batch, 'noising', async (noising) => {
          const changed = await effects(noising, everyEdge());
          const back = await session(batch, 'denoising', (denoising) => effects(denoising, everyEdge()));
          const examples = batch.examples.length;
          const reach = (edge: number): number =>
            Math.max(...[changed, back].map((one) => largest(one.subarray(edge * examples, (edge + 1) * examples))));
          expect(moving(reach, 1e-3)).to.have.members(truth.edge_sets['resample_single']!);
          const outside = moving((edge) => (reach(edge) <= 1e-3 ? reach(edge) : 0), 1e-6);
          expect(outside, 'all others stay silent').to.deep.equal([]);
        }));

      const ZEROED: Partial<Record<SourceKind, readonly string[]>> = {
        'zero-with-positions': truth.edge_sets['zero_single']!,
        // positions are in no sender: what reads them alone reads on
        zero: Object.keys(truth.edge_table).filter((edge) => {
          const { zero, input } = truth.edge_table[edge]!;
          return (input ? input.zero.tok : zero) > 1e-3;
        }),
      };
      for (const [kind, expected] of Object.entries(ZEROED))
        it(`${kind}, one edge alone: ${expected.length} edges move an output`, async () => {
          const { length: outputs } = json(name, 'model.json').reference.logits[0][0] as number[];
          const positions = Array.from({ length: batch.length - 1 }, (_, i) => i + 1);
          // prompts between clean and corrupt: both inputs of the OR on would hide each other
          const prompts = truth.task.pairs
            .slice(0, 2)
            .flatMap(({ clean, corrupt }) => [clean, clean.with(1, corrupt[1]!), clean.with(2, corrupt[2]!)]);
          const each = prompts.flatMap((clean) =>
            positions.flatMap((position) =>
              Array.from({ length: outputs }, (_, id) => {
                const answer = { ...contrast(position, id, id), incorrect: { ids: [], weights: [] } };
                return { clean, corrupt: clean, answers: [answer] };
              }),
            ),
          );
          const source = await makeSource(engine, kind as SourceKind, { batches: [], side: 'corrupt' });
          const options = { metric: 'logit-difference', direction: 'noising', source } as const;
          await withSession(engine, batchOf(each), options, async (zeroing) => {
            const changed = await effects(zeroing, everyEdge());
            const reach = (edge: number): number =>
              largest(changed.subarray(edge * each.length, (edge + 1) * each.length));
            expect(moving(reach, 1e-3)).to.have.members(expected);
          });
        });

      for (const direction of ['noising', 'denoising'] as const)
        it(`the circuit alone does the task: ${direction === 'noising' ? 'a clean run, all else corrupt' : 'a corrupt run, it alone clean'}`, () =>
          session(batch, direction, async ({ ask, clean }) => {
            const inside = named(Object.fromEntries(truth.edge_sets['resample_minimal']!.map((edge) => [edge, 1])));
            // denoising: every edge of the circuit reads the clean run
            const keep = Uint8Array.from(inside, (one) => (direction === 'noising' ? one : 1 - one));
            const [found] = await ask([{ kind: 'circuit', keep }]);
            expectNear(found!, clean, 1e-5);
          }));

      for (const [table, direction] of Object.entries({
        noising_single_edge: 'noising',
        denoising_single_edge: 'denoising',
      } as const))
        if (truth.expected)
          it(`effects of single edges, ${direction}`, () =>
            session(batch, direction, async (given) => {
              const found = means(
                await effects(given, everyEdge()),
                batch.examples.length,
                direction === 'noising' ? -1 : 1,
              );
              expectNear(found, named(truth.expected![table]!), 1e-5);
            }));

      for (const [table, points] of Object.entries(ATTRIBUTIONS))
        it(`${table}: ${truth.expected ? 'as its table says' : 'nothing outside the circuit'}`, () =>
          session(batch, 'noising', async ({ bound, prompts }) => {
            const { edgeCount } = engine.universe;
            const examples = batch.examples.length;
            const scores = await edgeGradients(bound, points, prompts);
            const found = Array.from({ length: edgeCount }, (_, edge) => {
              let sum = 0;
              for (let example = 0; example < examples; example++) sum += scores[example * edgeCount + edge]!;
              return -sum / examples;
            });
            if (truth.expected) expectNear(found, named(truth.expected[table]!), 1e-5);
            expect(moving((edge) => Math.abs(found[edge]!), 1e-3)).to.have.members(
              truth.expected ? Object.keys(truth.expected[table]!) : truth.edge_sets['resample_single']!,
            );
          }));
    },
    (key) => key === 'onnx' || key === 'reference',
  );
