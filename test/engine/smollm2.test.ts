/** SmolLM2-135M-Instruct on eight IOI pairs, against Hugging Face, TransformerLens and EAP-IG (shared/goldens/smollm2-135m). */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Context } from 'mocha';
import { Engine } from '../../src/engine/core/engine.js';
import { edgeGradients, type Point } from '../../src/engine/gradients/gradient.js';
import type { Question, Site } from '../../src/engine/questions/questions.js';
import type { Direction } from '../../src/engine/sources/kinds.js';
import { withSession, type Session } from '../../src/engine/questions/session.js';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/types.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { batchOf, contrast, largest, logitsOf } from '../helpers/engine.js';
import { golden } from '../helpers/model-files.js';
import { tellParity } from '../helpers/parity.js';
import { openTables } from '../helpers/safetensors.js';
import { skipWithout, smollm2Dir } from '../helpers/shared.js';

interface Forward {
  readonly prompts: readonly {
    readonly text: string;
    readonly ids: number[];
    readonly top20_ids: number[];
    readonly top20_logprobs_f64: number[];
    readonly argmax_per_position: number[];
    /** of each token but the first */
    readonly token_nll_f64: number[];
  }[];
}

interface PeerPair {
  readonly clean_ids: number[];
  readonly corrupted_ids: number[];
  readonly correct_id: number;
  readonly incorrect_id: number;
  readonly clean_logit_diff: number;
  readonly corrupted_logit_diff: number;
}

interface PeerCircuit {
  readonly circuit: string;
  readonly edge_indices?: number[];
  readonly logit_diff: number;
}

const read = (name: string) => JSON.parse(readFileSync(golden('smollm2-135m', `${name}.json`), 'utf8'));

const ATTRIBUTIONS: Readonly<Record<string, readonly Point[]>> = {
  EAP: [{ at: 1, weight: 1 }],
  'EAP-IG-inputs-5': [0, 1, 2, 3, 4].map((k) => ({ at: k / 5, weight: 1 / 5 })),
  'clean-corrupted': [0, 1].map((at) => ({ at, weight: 1 / 2 })),
};

/** In logits: how far from the peers a metric with an intervention may be. */
const TOLERANCE = 2e-3;

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;
const furthest = (found: readonly number[], expected: readonly number[]): number => {
  expect(found.length).to.equal(expected.length);
  const distance = largest(expected.map((x, i) => x - found[i]!));
  tellParity({ distance, tolerance: TOLERANCE, numbers: expected.length });
  return distance;
};
const order = (of: (i: number) => number, length: number): number[] =>
  Array.from({ length }, (_, i) => i).sort((a, b) => of(b) - of(a));

function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const ranks = [a, b].map((values) => {
    const rank = new Float64Array(values.length);
    order((i) => values[i]!, values.length).forEach((i, place) => (rank[i] = place));
    return rank;
  });
  const n = a.length;
  const squares = ranks[0]!.reduce((sum, rank, i) => sum + (rank - ranks[1]![i]!) ** 2, 0);
  return 1 - (6 * squares) / (n * (n * n - 1));
}

describe('SmolLM2-135M-Instruct', function () {
  this.timeout(600_000);
  const pairs = read('pairs').pairs as PeerPair[];
  const last = pairs[0]!.clean_ids.length - 1;
  const batch = batchOf(
    pairs.map(({ clean_ids: clean, corrupted_ids: corrupt, correct_id, incorrect_id }) => {
      return { clean, corrupt, answers: [contrast(last, correct_id, incorrect_id)] };
    }),
  );
  let [model, runtime, engine] = [null, null, null] as unknown as [Model, Runtime, Engine];
  before(async function (this: Context) {
    model = await loadModel(skipWithout(this, smollm2Dir(), 'its weights are not here'));
    runtime = await createRuntime('onnx', { threads: 0 });
    engine = new Engine(model, runtime);
    after(async () => {
      await engine.dispose();
      await runtime.dispose();
      await model.dispose();
    });
  });
  const session = <T>(direction: Direction, work: (session: Session) => Promise<T>, of = batch) =>
    withSession(engine, of, { metric: 'logit-difference', direction }, work);
  const asked = async (direction: Direction, sites: readonly Site[], of = batch): Promise<number[]> => {
    const questions = sites.map((site): Question => ({ kind: 'sites', sites: [site] }));
    return session(direction, async ({ ask }) => (await ask(questions)).flatMap((one) => [...one]), of);
  };
  const layers = Array.from({ length: 30 }, (_, layer) => layer);

  it('log-probabilities, against float64', async () => {
    for (const prompt of (read('forward') as Forward).prompts) {
      const logProbabilities = await logitsOf(engine, [prompt.ids], { of: 'logProbabilities' });
      const rows = prompt.ids.map((_, i) => logProbabilities.subarray(i * 49152, (i + 1) * 49152));
      const final = rows.at(-1)!;
      expect(
        furthest(
          prompt.top20_ids.map((id) => final[id]!),
          prompt.top20_logprobs_f64,
        ),
        prompt.text,
      ).to.be.at.most(3e-4);
      const surprise = prompt.ids.slice(1).map((id, i) => -rows[i]![id]!);
      expect(furthest(surprise, prompt.token_nll_f64), prompt.text).to.be.at.most(3e-4);
      expect(rows.map((row) => row.indexOf(row.reduce((a, b) => Math.max(a, b))))).to.deep.equal(
        prompt.argmax_per_position,
      );
    }
  });

  it('the metric of both prompts', () =>
    session('noising', async ({ clean, corrupt }) => {
      expect(
        furthest(
          [...clean],
          pairs.map((pair) => pair.clean_logit_diff),
        ),
      ).to.be.at.most(TOLERANCE);
      expect(
        furthest(
          [...corrupt],
          pairs.map((pair) => pair.corrupted_logit_diff),
        ),
      ).to.be.at.most(TOLERANCE);
    }));

  for (const [name, points] of Object.entries(ATTRIBUTIONS))
    it(`edge scores: ${name}`, () =>
      session('noising', async ({ bound, prompts }) => {
        const scores = await edgeGradients(bound, points, prompts);
        const { edgeCount } = engine.universe;
        const found = Float64Array.from(
          { length: edgeCount },
          (_, edge) => -mean(pairs.map((_, i) => scores[i * edgeCount + edge]!)),
        );
        // the library's mean over the batch divided by the batch once more; its sign: positive = the edge helps
        const { values } = openTables(golden('smollm2-135m', 'eap.safetensors'))(name);
        expect(
          spearman(
            found,
            values.map((x) => x * pairs.length),
          ),
        ).to.be.at.least(0.999);
        const top = (of: Float64Array): number[] => order((edge) => Math.abs(of[edge]!), edgeCount).slice(0, 100);
        const theirs = new Set(top(values));
        expect(
          top(found).filter((edge) => theirs.has(edge)).length,
          'of the 100 strongest edges in common',
        ).to.be.at.least(98);
        const distance = largest(found.map((x, i) => x - pairs.length * values[i]!));
        expect(distance / (pairs.length * largest(values)), 'scale and sign').to.be.at.most(1e-3);
      }));

  for (const direction of ['noising', 'denoising'] as const) {
    const heads = layers.flatMap((layer) =>
      Array.from({ length: 9 }, (_, head): Site => ({ kind: 'z', layer, heads: [head] })),
    );
    it(`all 270 heads, ${direction}`, async () => {
      const expected = read('head_patching')[`${direction}_per_pair`] as number[][][];
      expect(furthest(await asked(direction, heads), expected.flat(2))).to.be.at.most(TOLERANCE);
    });

    for (const [kind, table] of Object.entries({ 'attention-out': 'attn_out', 'mlp-out': 'mlp_out' } as const))
      it(`${kind} of every layer, ${direction}`, async () => {
        const sites = layers.map((layer): Site => ({ kind: kind as Site['kind'], layer }));
        const expected = read('resid_patching')[`${table}_${direction}`] as number[][];
        expect(furthest(await asked(direction, sites), expected.flat())).to.be.at.most(TOLERANCE);
      });
  }

  for (const [kind, table] of Object.entries({
    'resid-pre': 'resid_pre_first_pair',
    'attention-out': 'attn_out_by_position',
    'mlp-out': 'mlp_out_by_position',
  } as const))
    it(`${kind} by layer and position, first pair`, async () => {
      const positions = Array.from({ length: last + 1 }, (_, position) => position);
      const sites = layers.flatMap((layer) =>
        positions.map((position): Site => ({ kind: kind as Site['kind'], layer, positions: [position] })),
      );
      const first = { ...batch, examples: batch.examples.slice(0, 1) };
      const expected = read('resid_patching')[table] as number[][];
      expect(furthest(await asked('denoising', sites, first), expected.flat())).to.be.at.most(TOLERANCE);
    });

  it('60 exact edges', () =>
    session('noising', async ({ ask, base }) => {
      const edges = read('exact_edges').edges as {
        edge: string;
        effect_on_loss: number;
        logit_diff_per_pair: number[];
      }[];
      const answers = await ask(edges.map(({ edge }) => ({ kind: 'edge', edge: engine.universe.edgeIndex(edge)! })));
      const found = answers.map((answer) => mean(base) - mean(answer));
      expect(
        furthest(
          found,
          edges.map((edge) => edge.effect_on_loss),
        ),
      ).to.be.at.most(TOLERANCE);
      const perPair = edges.flatMap((edge) => edge.logit_diff_per_pair);
      expect(
        furthest(
          answers.flatMap((answer) => [...answer]),
          perPair,
        ),
      ).to.be.at.most(TOLERANCE);
    }));

  it('circuits of 200 to 5,000 edges, of all and of none', () =>
    session('noising', async ({ ask, clean, corrupt }) => {
      const circuits = read('circuits').circuits as PeerCircuit[];
      const keep = circuits.map(({ circuit, edge_indices = [] }) => {
        const mask = new Uint8Array(engine.universe.edgeCount).fill(circuit === 'all-edges' ? 1 : 0);
        for (const edge of edge_indices) mask[edge] = 1;
        return mask;
      });
      const answers = await ask(keep.map((one): Question => ({ kind: 'circuit', keep: one })));
      const gap = mean(clean) - mean(corrupt);
      circuits.forEach(({ circuit, logit_diff }, i) => {
        expect(Math.abs(mean(answers[i]!) - logit_diff) / gap, circuit).to.be.at.most(1e-3);
        expect(Math.abs(mean(answers[i]!) - logit_diff) / Math.abs(logit_diff), circuit).to.be.at.most(0.01);
      });
    }));
});
