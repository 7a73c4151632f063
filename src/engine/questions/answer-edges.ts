/** Questions about single edges: one reader reads one sender's alternative, everything downstream recomputed. */
import type { Reader } from '../../circuit/types.js';
import { normsWrites } from '../../model/blocks.js';
import type { Tensor } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import { layerBytesPerToken, pieces, planChunks } from '../core/chunks.js';
import { senderDifferences } from '../model-run/differences.js';
import { afterAttention } from './start-stages.js';
import { prefixInputs } from '../model-run/layers.js';
import { neuronChange } from '../model-run/neurons.js';
import { at, clampStart, floats, ints, mlpInputOf, postOf, spread, type BoundRun } from '../model-run/bound-run.js';
import type { EdgeNeuron } from './questions.js';
import { makeSpan, type Span } from '../core/span.js';
import { NOTHING, plus, walkUp, type Walk } from '../model-run/walk.js';

interface Cut {
  readonly edge: number;
  readonly weight: number;
  /** [example] positions where it is cut; undefined: all */
  readonly positions?: readonly (readonly number[])[] | undefined;
  /** only what this neuron of the sending MLP writes, or this neuron of the reading MLP reads */
  readonly neuron?: EdgeNeuron | undefined;
}

interface Asked extends Omit<Cut, 'edge' | 'neuron'> {
  readonly index: number;
  /** place among the differences given */
  readonly sender: number;
  readonly reader: Reader;
  /** neuron of the reader, where it alone reads */
  readonly into?: number | undefined;
}

/** The metric [questions][examples] with each edge cut by its weight, at all positions or some. */
export async function answerEdges(
  bound: BoundRun,
  questions: readonly Cut[],
  unchanged: Float64Array,
): Promise<Float64Array[]> {
  const answers = questions.map(() => unchanged);
  if (bound.alternative.firstChange >= bound.batch.length || questions.length === 0) return answers;
  const { engine, batch } = bound;
  const span = makeSpan(engine, clampStart(bound, bound.alternative.firstChange), batch.length);
  const examples = batch.examples.length;
  const plan = planChunks(engine, {
    of: 'edges',
    total: questions.length,
    tokensEach: examples * span.count,
    bytesPerToken: layerBytesPerToken(engine),
  });
  const arena = new Arena();
  try {
    const take = async (differences: Tensor, asked: readonly Asked[]): Promise<void> => {
      for (const group of groupsByReader(asked))
        for (const chunk of pieces(group, plan.perChunk)) {
          const values = await answerChunk({ bound, span, differences }, chunk);
          chunk.forEach(({ index }, i) => (answers[index] = values.slice(i * examples, (i + 1) * examples)));
        }
    };
    const all = questions.map((cut, index) => describe(bound, cut, index));
    for (const { amount, asked } of byAmount(bound, all)) {
      const whole = asked.filter(({ from }) => from === undefined);
      const differ = () => senderDifferences(bound, span, { byToken: true, amount });
      if (whole.length > 0) await take(arena.own(await differ()), whole);
      for (const of of await fromNeurons({ bound, span, arena, amount }, asked)) await take(of.differences, of.asked);
    }
  } finally {
    arena.dispose();
    span.dispose();
  }
  return answers;
}

interface Described extends Asked {
  /** neuron of the sender, where it alone speaks */
  readonly from?: number | undefined;
}

function describe({ engine }: BoundRun, { edge, neuron, ...how }: Cut, index: number): Described {
  const { universe } = engine;
  const reader = universe.readers[universe.edgeReader[edge] as number] as Reader;
  return { index, sender: universe.edgeSender[edge] as number, reader, ...neuron, ...how };
}

/** The neurons of one layer that are asked for, at most so many at once. */
const NEURONS_AT_ONCE = 64;

/** What a change behind a norm makes of the stream depends on how much of it is made: questions of one weight together. */
function byAmount({ engine }: BoundRun, all: readonly Described[]): { amount: number; asked: readonly Described[] }[] {
  if (!normsWrites(engine.arithmetic)) return [{ amount: 1, asked: all }];
  const amounts = [...new Set(all.map(({ weight }) => weight))];
  return amounts.map((amount) => ({
    amount: amount === 0 ? 1 : amount,
    asked: all.filter(({ weight }) => weight === amount),
  }));
}

/** Questions about single neurons that send, with what those would say differently in the places of senders. */
async function fromNeurons(
  on: { bound: BoundRun; span: Span; arena: Arena; amount: number },
  all: readonly Described[],
): Promise<{ differences: Tensor; asked: readonly Asked[] }[]> {
  const { bound, span, arena } = on;
  const { universe, arithmetic } = bound.engine;
  const normed = normsWrites(arithmetic);
  const result: { differences: Tensor; asked: readonly Asked[] }[] = [];
  for (const sender of new Set(all.filter(({ from }) => from !== undefined).map((one) => one.sender))) {
    const { layer } = universe.senders[sender]!;
    const own = all.filter((one) => one.from !== undefined && one.sender === sender);
    const change = arena.own(await neuronChange(bound, layer, span.positions));
    for (const neurons of pieces([...new Set(own.map(({ from }) => from as number))], NEURONS_AT_ONCE)) {
      const behind = {
        now: mlpInputOf(bound.engine, bound.base, layer),
        positions: span.positions,
        amount: floats(bound, arena, { values: Float64Array.of(on.amount), shape: [1] }),
      };
      const inputs = { change, neuron: ints(bound, arena, neurons), ...(normed ? behind : {}) };
      const { differences } = arena.own(await bound.engine.run({ name: 'neuronDifferences', layer, inputs }));
      const asked = own.filter(({ from }) => neurons.includes(from as number));
      result.push({
        differences: differences as Tensor,
        asked: asked.map((one) => ({ ...one, sender: neurons.indexOf(one.from as number) })),
      });
    }
  }
  return result;
}

/** Readers of one layer and stage are asked together: heads, the MLP, its single neurons, the logits. */
function groupsByReader(asked: readonly Asked[]): Asked[][] {
  const groups = new Map<string, Asked[]>();
  for (const one of asked) {
    const { layer, head, kind } = one.reader;
    const key = `${layer}${head < 0 ? kind : 'head'}${one.into === undefined ? '' : ' neuron'}`;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()];
}

interface Given {
  readonly bound: BoundRun;
  readonly span: Span;
  readonly differences: Tensor;
}

async function answerChunk(given: Given, chunk: readonly Asked[]): Promise<Float64Array> {
  const arena = new Arena();
  try {
    const { reader, into } = chunk[0] as Asked;
    const final = await (into === undefined ? FROM_READER[reader.kind] : throughNeuron)(given, chunk, arena);
    return await given.bound.judge.value(arena.own(final), given.span);
  } finally {
    arena.dispose();
  }
}

const untouched = ({ bound, span }: Given): Walk => ({ bound, span, swaps: () => Promise.resolve(NOTHING) });

/** What a reader of the stream reads when its edge is cut. */
async function cutStream(given: Given, chunk: readonly Asked[], of: { base: Tensor; arena: Arena }): Promise<Tensor> {
  const inputs = { base: of.base, ...picked(given, chunk, of.arena) };
  return (await given.bound.engine.run({ name: 'cutStream', inputs }))['x'] as Tensor;
}

const picked = (
  { bound, span, differences }: Given,
  chunk: readonly Asked[],
  arena: Arena,
): Record<string, Tensor> => ({
  differences,
  positions: span.positions,
  sender: ints(
    bound,
    arena,
    chunk.map(({ sender }) => sender),
  ),
  weight: floats(bound, arena, {
    values: weightsOf({ bound, span }, chunk),
    shape: [chunk.length, bound.batch.examples.length, span.count, 1],
  }),
});

/** How much of its sender's change each question's reader reads, [questions, examples, pos]. */
function weightsOf({ bound, span }: Pick<Given, 'bound' | 'span'>, chunk: readonly Asked[]): Float32Array {
  const examples = bound.batch.examples.length;
  const values = new Float32Array(chunk.length * examples * span.count);
  chunk.forEach(({ weight, positions }, question) => {
    const from = question * examples * span.count;
    if (positions === undefined) values.fill(weight, from, from + examples * span.count);
    positions?.forEach((own, example) => {
      for (const position of own)
        if (position >= span.start) values[from + example * span.count + position - span.start] = weight;
    });
  });
  return values;
}

type FromReader = (given: Given, chunk: readonly Asked[], arena: Arena) => Promise<Tensor>;

const throughHead: FromReader = async (given, chunk, arena) => {
  const { bound, span } = given;
  const { engine, base } = bound;
  const { layer } = (chunk[0] as Asked).reader;
  const { nHeads } = engine.model.config;
  const roles = ['q', 'k', 'v'];
  const isRole = (role: string): Tensor =>
    floats(bound, arena, {
      values: Float32Array.from(chunk, ({ reader }) => (reader.kind === role ? 1 : 0)),
      shape: [chunk.length, 1, 1, 1],
    });
  const heads = at(base.heads, layer);
  const prefix = prefixInputs(span, heads)['prefix.positions'];
  const inputs = {
    ...picked(given, chunk, arena),
    pre: at(base.pre, layer),
    mid: at(base.mid, layer),
    ...heads,
    z: at(base.z, layer),
    head: ints(
      bound,
      arena,
      chunk.map(({ reader }) => reader.head),
    ),
    role: ints(
      bound,
      arena,
      chunk.map(({ reader }) => roles.indexOf(reader.kind) * nHeads + reader.head),
    ),
    'is.q': isRole('q'),
    'is.k': isRole('k'),
    'is.v': isRole('v'),
    ...span.mask(layer),
    ...span.rotary,
    ...(prefix ? { 'prefix.positions': prefix } : {}),
  };
  const { mid } = await engine.run({ name: 'cutHead', layer, variant: { prefix: span.prefix }, inputs });
  return afterAttention(untouched(given), layer, { mid: mid as Tensor, arena, questions: chunk.length });
};

/** One neuron of the MLP reads what is cut, the others what they read in the base run. */
const throughNeuron: FromReader = async (given, chunk, arena) => {
  const { bound, span } = given;
  const { engine } = bound;
  const { layer } = (chunk[0] as Asked).reader;
  const base = mlpInputOf(engine, bound.base, layer);
  const inputs = {
    ...{ x: arena.own(await cutStream(given, chunk, { base, arena })), base },
    ...{ post: postOf(bound.base, layer), positions: span.positions },
    neuron: ints(
      bound,
      arena,
      chunk.map(({ into }) => into as number),
    ),
  };
  const post = (await engine.run({ name: 'cutNeuron', layer, inputs }))['x'] as Tensor;
  return layer + 1 < engine.model.config.nLayers ? walkUp(untouched(given), layer + 1, post) : post;
};

const FROM_READER: { readonly [Kind in Reader['kind']]: FromReader } = {
  q: throughHead,
  k: throughHead,
  v: throughHead,
  mlp: async (given, chunk, arena) => {
    const { bound, span } = given;
    const { layer } = (chunk[0] as Asked).reader;
    const x = arena.own(await cutStream(given, chunk, { base: mlpInputOf(bound.engine, bound.base, layer), arena }));
    const onto = arena.own(
      await spread(bound, span, { stream: at(bound.base.mid, layer), questions: chunk.length, arena }),
    );
    const { m } = await bound.engine.run({ name: 'feedForward', layer, inputs: { x, onto }, wanted: ['m'] });
    const walk = untouched(given);
    const post = await plus(walk, onto, m as Tensor);
    return layer + 1 < bound.engine.model.config.nLayers ? walkUp(walk, layer + 1, post) : post;
  },
  logits: (given, chunk, arena) => cutStream(given, chunk, { base: given.bound.base.final, arena }),
};
