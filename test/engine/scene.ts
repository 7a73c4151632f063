/** A small random model, prompts for it, and what an engine that is right must answer. */
import { makeUniverse } from '../../src/circuit/universe.js';
import type { Universe } from '../../src/circuit/types.js';
import type { Batch } from '../../src/engine/core/batches.js';
import type { Question, Site } from '../../src/engine/questions/questions.js';
import type { Direction } from '../../src/engine/sources/kinds.js';
import type { Model } from '../../src/model/types.js';
import type { Example } from '../../src/task/types.js';
import { batchOf, contrast, type Pair } from '../helpers/engine.js';
import { randomModel, SHAPES } from '../helpers/models/hand-made.js';
import { uniform } from '../helpers/op-cases.js';
import { Oracle, type Edit, type Intervention, type NaiveRun } from './oracle.js';

export interface Scene {
  readonly model: Model;
  readonly universe: Universe;
  readonly oracle: Oracle;
  readonly batch: Batch;
}

const LENGTH = 6;
const VOCABULARY = 11;

/** Prompts that agree up to `firstChange` and differ there. */
export const pairAt = (firstChange: number, seed: number): Pair => {
  const random = uniform(seed);
  const token = (): number => Math.floor(random() * VOCABULARY);
  const clean = Array.from({ length: LENGTH }, token);
  const corrupt = clean.map((id, i) => (i < firstChange ? id : i === firstChange ? (id + 1) % VOCABULARY : token()));
  return { clean, corrupt, answers: [contrast(LENGTH - 1, seed % 5, (seed + 1) % 5)] };
};

export async function sceneOf(shape: string): Promise<Scene> {
  const model = randomModel(SHAPES[shape]!, 5);
  const { nLayers, nHeads, dMlp, parallelBlocks } = model.config;
  const universe = makeUniverse({ nLayers, nHeads, hasMlp: dMlp > 0, parallelBlocks });
  const batch = batchOf([pairAt(2, 1), pairAt(3, 2), pairAt(5, 3)]);
  return { model, universe, oracle: await Oracle.of(model, universe), batch };
}

export const logitDifference = ({ logits }: NaiveRun, { answers }: Pick<Example, 'answers'>): number => {
  const { position, correct, incorrect } = answers[0]!;
  return logits[position]![correct.ids[0]!]! - logits[position]![incorrect.ids[0]!]!;
};

type Source = 'other-prompt' | 'zero';

/** The metric [question][example], every question asked of every example by itself. */
export function expectedAnswers(
  { oracle, universe, batch }: Scene,
  questions: readonly Question[],
  { direction, source }: { direction: Direction; source: Source },
): number[][] {
  const sides = batch.examples.map(({ clean, corrupt }) =>
    direction === 'noising' ? [clean, corrupt] : [corrupt, clean],
  );
  const others = sides.map(([, other]) => oracle.run(other!));
  return questions.map((question) =>
    sides.map(([base], i) => {
      const intervention = INTERVENE[question.kind](question as never, { universe, other: others[i]!, source });
      return logitDifference(oracle.run(base!, intervention), batch.examples[i]!);
    }),
  );
}

interface Given {
  readonly universe: Universe;
  readonly other: NaiveRun;
  readonly source: Source;
}
type Of<Kind extends Question['kind']> = Extract<Question, { kind: Kind }>;

const INTERVENE: { readonly [Kind in Question['kind']]: (question: Of<Kind>, given: Given) => Intervention } = {
  circuit: ({ keep }, given) => ({ keep, alternative: alternatives(given) }),
  edge: ({ edge, weight = 1 }, given) => {
    const keep = new Float64Array(given.universe.edgeCount).fill(1);
    keep[edge] = 1 - weight;
    return { keep, alternative: alternatives(given) };
  },
  sites: ({ sites }, { other, source }) => ({ edit: editOf(sites, other, source) }),
};

const silent = <T extends ReadonlyMap<string, number[][]>>(values: T): Map<string, number[][]> =>
  new Map([...values].map(([name, rows]) => [name, rows.map((row) => row.map(() => 0))]));

const alternatives = ({ other, source }: Given): ReadonlyMap<string, number[][]> =>
  source === 'zero' ? silent(other.outputs) : other.outputs;

const KINDS: Readonly<Partial<Record<Site['kind'], Parameters<Edit>[0]>>> = {
  ...{ q: 'q', k: 'k', v: 'v', pattern: 'pattern', z: 'z' },
  ...{ 'attention-out': 'z', neurons: 'neurons', 'mlp-out': 'm' },
};

const editOf =
  (asked: readonly Site[], other: NaiveRun, source: Source): Edit =>
  (site, { layer, head }) => {
    const own = asked.filter(
      (one) =>
        KINDS[one.kind] === site &&
        one.layer === layer &&
        (head < 0 || one.heads === undefined || one.heads.includes(head)),
    );
    if (own.length === 0) return null;
    const instead = (source === 'zero' ? silent(other.sites) : other.sites).get(`${site} ${layer} ${head}`)!;
    return (position, now) => {
      const here = own.filter(({ positions }) => positions === undefined || positions.includes(position));
      const amount = (j: number): number => {
        const last = here.filter(({ neurons }) => neurons === undefined || neurons.includes(j)).at(-1);
        return last === undefined ? 0 : (last.amount ?? 1);
      };
      return now.map((x, j) => x + amount(j) * (instead[position]![j]! - x));
    };
  };

/** Seeded questions of every kind: circuits dense and sparse, edges cut in part, one or several sites at once. */
export function randomQuestions(
  { universe, model, batch }: Scene,
  count: number,
  seed: number,
): Record<Question['kind'], Question[]> {
  const random = uniform(seed);
  const whole = (n: number): number => Math.floor(random() * n);
  const part = (): number => whole(17) / 16; // exact in float32
  const { nLayers, nHeads, dMlp } = model.config;
  const circuit = (i: number): Question => {
    const density = [0.2, 0.5, 0.8, 0.95][i % 4]!;
    const partly = i % 3 === 2;
    const keep = Float32Array.from({ length: universe.edgeCount }, () =>
      random() < density ? (partly ? part() : 1) : 0,
    );
    return { kind: 'circuit', keep };
  };
  const kinds = (Object.keys(KINDS) as Site['kind'][]).filter(
    (kind) => kind !== 'neurons' && (kind !== 'mlp-out' || dMlp > 0),
  );
  const site = (i: number, kind = kinds[i % kinds.length]!): Site => ({
    kind,
    layer: whole(nLayers),
    ...(random() < 0.5 && kind !== 'attention-out' ? { heads: [whole(nHeads)] } : {}),
    ...(random() < 0.7 ? { positions: [whole(batch.length), batch.length - 1] } : {}),
    ...(random() < 0.3 ? { amount: part() } : {}),
  });
  const many = (ask: (i: number) => Question): Question[] => Array.from({ length: count }, (_, i) => ask(i));
  return {
    circuit: many(circuit),
    edge: many(() => ({ kind: 'edge', edge: whole(universe.edgeCount), weight: random() < 0.5 ? 1 : part() })),
    sites: many((i) => ({ kind: 'sites', sites: Array.from({ length: 1 + (i % 3) }, (_, j) => site(i + 2 * j)) })),
  };
}
