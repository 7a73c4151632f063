/** Tiny random GPT-2, Llama and GPT-NeoX models, every number of them computed by libraries that other people wrote. */
import { countIn, prune } from '../../src/circuit/prune.js';
import { Engine } from '../../src/engine/core/engine.js';
import { edgeGradients, type Point } from '../../src/engine/gradients/gradient.js';
import type { Batch } from '../../src/engine/core/batches.js';
import type { Question, Site, SiteKind } from '../../src/engine/questions/questions.js';
import type { Direction, SourceKind } from '../../src/engine/sources/kinds.js';
import { residualGradients } from '../../src/engine/gradients/residual-gradient.js';
import { withSession, type Session } from '../../src/engine/questions/session.js';
import { makeSource } from '../../src/engine/sources/index.js';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/types.js';
import type { Runtime } from '../../src/runtime/types.js';
import { batchOf, byEdge, contrast, effects, expectNear, logitsOf } from '../helpers/engine.js';
import { golden } from '../helpers/model-files.js';
import { openTables, type Table } from '../helpers/safetensors.js';
import { onEveryRuntime } from '../runtime/available.js';

/** Every question on the default runtime; where arithmetic is slow, every n-th. */
const STRIDES: Readonly<Record<string, number>> = { onnx: 1, reference: 13 };
const OTHERWISE = 23;

const DIRECTIONS: readonly Direction[] = ['noising', 'denoising'];
const left = (steps: number): Point[] =>
  Array.from({ length: steps }, (_, k) => ({ at: k / steps, weight: 1 / steps }));

const ATTRIBUTIONS: Readonly<Record<string, readonly Point[]>> = {
  EAP: [{ at: 1, weight: 1 }],
  'EAP-IG-inputs-1': left(1),
  'EAP-IG-inputs-5': left(5),
  'EAP-IG-inputs-30': left(30),
  'clean-corrupted': [
    { at: 1, weight: 0.5 },
    { at: 0, weight: 0.5 },
  ],
};

/** Where what is not in a circuit says something → the peer's name of it. */
const CIRCUIT_TABLES: Readonly<Partial<Record<SourceKind, string>>> = {
  'other-prompt': 'patching',
  zero: 'zero',
  mean: 'mean',
  'positional-mean': 'mean-positional',
};

interface Peer {
  readonly batch: Batch;
  readonly prompts: Table;
  readonly golden: (name: string) => Table;
  readonly edges: (name: string) => Table;
  readonly patching: (name: string) => Table;
}

function readPeer(architecture: string): Peer {
  const file = (name: string) => openTables(golden('architectures', architecture, `${name}.safetensors`));
  const tables = file('golden');
  const [prompts, corrupt, labels] = [tables('clean.ids'), tables('corrupt.ids'), tables('labels').values];
  const [examples, length] = prompts.shape as [number, number];
  const row = ({ values }: Table, i: number): number[] => [...values.subarray(i * length, (i + 1) * length)];
  const pairs = Array.from({ length: examples }, (_, i) => {
    const answers = [contrast(length - 1, labels[2 * i]!, labels[2 * i + 1]!)];
    return { clean: row(prompts, i), corrupt: row(corrupt, i), answers };
  });
  return { batch: batchOf(pairs), prompts, golden: tables, edges: file('edges'), patching: file('patching') };
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const site = (of: Site): Question => ({ kind: 'sites', sites: [of] });

/** tfjs is asked of one architecture; a graphics card imitated in software only a few questions, in invariants.test.ts. */
const amongFor =
  (architecture: string) =>
  (key: string): boolean =>
    key in STRIDES || (architecture === 'gpt2' && key !== 'tfjs-webgpu');

for (const architecture of ['gpt2', 'llama', 'gpt_neox'])
  await onEveryRuntime(
    `the ${architecture} golden`,
    ({ key, create }) => {
      const tolerance = key === 'reference' ? 1e-9 : 1e-4;
      const stride = STRIDES[key] ?? OTHERWISE;
      const peer = readPeer(architecture);
      const { batch } = peer;
      const examples = batch.examples.length;
      let [model, runtime, engine] = [null, null, null] as unknown as [Model, Runtime, Engine];
      before(async () => {
        model = await loadModel(golden('architectures', architecture));
        runtime = await create();
        engine = new Engine(model, runtime);
      });
      after(async () => {
        await engine.dispose();
        await runtime.dispose();
        await model.dispose();
      });

      const session = <T>(
        work: (session: Session) => Promise<T>,
        direction: Direction = 'noising',
        source?: SourceKind,
      ) => openSession({ engine, batch, direction }, source, work);

      /** Of a peer's table [question, example]: every n-th question asked, the same rows compared. */
      const compareEffects = async (
        given: Session,
        questions: readonly Question[],
        { values }: Table,
      ): Promise<void> => {
        const whole = questions[0]?.kind === 'circuit' && stride > 1 ? 5 : 1; // a circuit is a pass through all layers
        const asked = range(questions.length).filter((i) => i % (whole * stride) === 0);
        const found = await effects(
          given,
          asked.map((i) => questions[i]!),
        );
        const rows = asked.flatMap((i) => [...values.subarray(i * examples, (i + 1) * examples)]);
        expectNear([values.length / examples], [questions.length], 0, 'rows of the table');
        expectNear(found, rows, tolerance);
      };

      it('log-probabilities at every position', async () => {
        const ids = batch.examples.map(({ clean }) => clean);
        const found = await logitsOf(engine, ids, { of: 'logProbabilities' });
        const { values } = peer.golden('clean.log_probs'); // float32
        expectNear(found, values, 1e-4 / Math.max(...values.map(Math.abs)));
      });

      it('logits of the corrupt prompts', async () =>
        expectNear(
          await logitsOf(
            engine,
            batch.examples.map(({ corrupt }) => corrupt),
          ),
          peer.golden('corrupt.logits').values, // float32
          Math.max(tolerance, 1e-6),
        ));

      it('the gradient of the metric at every residual site', () =>
        session(async ({ bound }) => {
          const gradients = await residualGradients(engine, batch, { side: 'clean', judge: bound.judge });
          const sites = await Promise.all(
            [...gradients.pre, gradients.final].map(async (one) => [...(await one.read())]),
          );
          const perExample = peer.golden('clean.grad_hidden').values.map((x) => x * examples); // of the mean over examples
          expectNear(sites.flat(), perExample, tolerance);
          expectNear(gradients.value, peer.edges('base.clean').values, tolerance);
          gradients.dispose();
        }));

      for (const direction of DIRECTIONS) {
        describe(direction, () => {
          const all = (edge: number): Question => ({ kind: 'edge', edge });
          const without = (edge: number): Question => {
            const keep = new Uint8Array(engine.universe.edgeCount).fill(1);
            keep[edge] = 0;
            return { kind: 'circuit', keep };
          };
          const edges = (ask: (edge: number) => Question) => range(engine.universe.edgeCount).map(ask);

          it('the metric of both prompts', () =>
            session(async ({ clean, corrupt, base }) => {
              expectNear(clean, peer.edges('base.clean').values, tolerance);
              expectNear(corrupt, peer.edges('base.corrupt').values, tolerance);
              expectNear(base, peer.patching(`${direction}.base`).values, tolerance);
            }, direction));

          it('exact effects of edges', () =>
            session((given) => compareEffects(given, edges(all), peer.edges(`exact.${direction}`)), direction));

          it('the same from circuits that lack one edge', () =>
            session((given) => compareEffects(given, edges(without), peer.edges(`exact.${direction}`)), direction));

          const layers = (ask: (layer: number) => Question[]) => range(model.config.nLayers).flatMap(ask);
          const heads = (ask: (head: number) => Question) => range(model.config.nHeads).map(ask);
          const byPosition = (kind: SiteKind) => () =>
            layers((layer) => range(batch.length).map((position) => site({ kind, layer, positions: [position] })));
          const byHead = (kind: SiteKind) => () =>
            layers((layer) => heads((head) => site({ kind, layer, heads: [head] })));
          const byHeadAndPosition = () =>
            layers((layer) =>
              range(batch.length).flatMap((position) =>
                heads((head) => site({ kind: 'z', layer, heads: [head], positions: [position] })),
              ),
            );
          const GRIDS: Readonly<Record<string, () => Question[]>> = {
            resid_pre: byPosition('resid-pre'),
            attn_out: byPosition('attention-out'),
            mlp_out: byPosition('mlp-out'),
            head_out_all_pos: byHead('z'),
            head_out_by_pos: byHeadAndPosition,
            head_q_all_pos: byHead('q'),
            head_k_all_pos: byHead('k'),
            head_v_all_pos: byHead('v'),
            head_pattern_all_pos: byHead('pattern'),
          };
          for (const [name, questions] of Object.entries(GRIDS))
            it(`activation patching of ${name}`, () =>
              session((given) => compareEffects(given, questions(), peer.patching(`${direction}.${name}`)), direction));
        });
      }

      /** The peer drops nodes that the cut leaves without any input: a parallel block's first MLP, whose only edge is the embedding's. */
      const cut = (edge: number): Question => {
        const rest = prune(engine.universe, new Uint8Array(engine.universe.edgeCount).fill(1).with(edge, 0));
        return countIn(rest) < engine.universe.edgeCount - 1 ? { kind: 'circuit', keep: rest } : { kind: 'edge', edge };
      };

      it('exact effects of edges whose sender is zeroed', () =>
        session(
          (given) => compareEffects(given, range(engine.universe.edgeCount).map(cut), peer.edges('exact.zero')),
          'noising',
          'zero',
        ));

      for (const [source, table] of Object.entries({ 'other-prompt': 'noising', zero: 'zero' } as const))
        it(`whole nodes replaced, source ${source}`, () =>
          session(
            (given) => compareEffects(given, engine.universe.senders.map(nodeQuestion), peer.edges(`nodes.${table}`)),
            'noising',
            source as SourceKind,
          ));

      for (const [source, table] of Object.entries(CIRCUIT_TABLES))
        it(`random circuits, the rest from ${table}`, () =>
          session(
            async (given) => {
              const kept = peer.edges('circuits.pruned');
              const [circuits, edges] = kept.shape as [number, number];
              const asked = range(circuits).filter((i) => i % Math.min(stride, 7) === 0);
              const keep = asked.map((i) => Uint8Array.from(kept.values.subarray(i * edges, (i + 1) * edges)));
              const answers = await given.ask(keep.map((one) => ({ kind: 'circuit', keep: one })));
              const { values } = peer.edges(`circuits.${table}`);
              const rows = asked.flatMap((i) => [...values.subarray(i * examples, (i + 1) * examples)]);
              expectNear(
                answers.flatMap((one) => [...one]),
                rows,
                tolerance,
              );
            },
            'noising',
            source as SourceKind,
          ));

      for (const [name, points] of Object.entries(ATTRIBUTIONS).filter(([, { length }]) => length <= 5 || stride === 1))
        it(`edge scores: ${name}`, () =>
          session(async ({ bound, prompts }) => {
            const scores = await edgeGradients(bound, points, prompts);
            expectNear(byEdge(scores, examples), peer.edges(name).values, tolerance);
          }));

      it('edge scores: EAP towards zero', () =>
        session(
          async ({ bound, prompts }) => {
            const scores = await edgeGradients(bound, ATTRIBUTIONS['EAP']!, prompts);
            expectNear(byEdge(scores, examples), peer.edges('EAP-zero').values, tolerance);
          },
          'noising',
          'zero',
        ));
    },
    amongFor(architecture),
  );

/** A node's output replaced at all positions. */
function nodeQuestion({ kind, layer, head }: Engine['universe']['senders'][number]): Question {
  if (kind === 'input') return site({ kind: 'resid-pre', layer: 0 });
  return kind === 'mlp' ? site({ kind: 'mlp-out', layer }) : site({ kind: 'z', layer, heads: [head] });
}

async function openSession<T>(
  { engine, batch, direction }: { engine: Engine; batch: Batch; direction: Direction },
  kind: SourceKind | undefined,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const own = kind && { source: await makeSource(engine, kind, { batches: [batch], side: 'corrupt' }) };
  return withSession(engine, batch, { metric: 'logit-difference', direction, ...own }, work);
}
