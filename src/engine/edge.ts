/** Questions about single edges: one reader reads one sender's alternative, everything downstream recomputed. */
import type { Reader } from '../circuit/types.js';
import type { Tensor } from '../runtime/types.js';
import { Arena } from './arena.js';
import { layerBytesPerToken, pieces, planChunks } from './chunks.js';
import { senderDifferences } from './differences.js';
import { prefixInputs } from './layers.js';
import { afterAttention } from './patch.js';
import { at, clampStart, floats, ints, mlpInputOf, spread, type Setting } from './setting.js';
import { makeSpan, type Span } from './span.js';
import { NOTHING, plus, walkUp, type Walk } from './walk.js';

interface Cut {
  readonly edge: number;
  readonly weight: number;
  /** [example] positions where it is cut; undefined: all */
  readonly positions?: readonly (readonly number[])[] | undefined;
}

interface Asked extends Omit<Cut, 'edge'> {
  readonly index: number;
  readonly sender: number;
  readonly reader: Reader;
}

/** The metric [questions][examples] with each edge cut by its weight, at all positions or some. */
export async function answerEdges(
  setting: Setting,
  questions: readonly Cut[],
  unchanged: Float64Array,
): Promise<Float64Array[]> {
  const answers = questions.map(() => unchanged);
  if (setting.alternative.firstChange >= setting.batch.length || questions.length === 0) return answers;
  const { engine, batch } = setting;
  const span = makeSpan(engine, clampStart(setting, setting.alternative.firstChange), batch.length);
  const examples = batch.examples.length;
  const plan = planChunks(engine, {
    of: 'edges',
    total: questions.length,
    tokensEach: examples * span.count,
    bytesPerToken: layerBytesPerToken(engine),
  });
  const arena = new Arena();
  try {
    const differences = arena.own(await senderDifferences(setting, span, { byToken: true }));
    for (const group of groupsByReader(setting, questions))
      for (const chunk of pieces(group, plan.perChunk)) {
        const values = await answerChunk({ setting, span, differences }, chunk);
        chunk.forEach(({ index }, i) => (answers[index] = values.slice(i * examples, (i + 1) * examples)));
      }
  } finally {
    arena.dispose();
    span.dispose();
  }
  return answers;
}

/** Readers of one layer and stage are asked together: heads, the MLP, the logits. */
function groupsByReader({ engine }: Setting, questions: readonly Cut[]): Asked[][] {
  const { universe } = engine;
  const groups = new Map<string, Asked[]>();
  questions.forEach(({ edge, ...how }, index) => {
    const reader = universe.readers[universe.edgeReader[edge] as number] as Reader;
    const key = `${reader.layer}${reader.head < 0 ? reader.kind : 'head'}`;
    const asked = { index, sender: universe.edgeSender[edge] as number, reader, ...how };
    const group = groups.get(key);
    if (group) group.push(asked);
    else groups.set(key, [asked]);
  });
  return [...groups.values()];
}

interface Given {
  readonly setting: Setting;
  readonly span: Span;
  readonly differences: Tensor;
}

async function answerChunk(given: Given, chunk: readonly Asked[]): Promise<Float64Array> {
  const arena = new Arena();
  try {
    const kind = (chunk[0] as Asked).reader.kind;
    const final = await FROM_READER[kind](given, chunk, arena);
    return await given.setting.judge.value(arena.own(final), given.span);
  } finally {
    arena.dispose();
  }
}

const untouched = ({ setting, span }: Given): Walk => ({ setting, span, swaps: () => Promise.resolve(NOTHING) });

/** What a reader of the stream reads when its edge is cut. */
async function cutStream(given: Given, chunk: readonly Asked[], of: { base: Tensor; arena: Arena }): Promise<Tensor> {
  const inputs = { base: of.base, ...picked(given, chunk, of.arena) };
  return (await given.setting.engine.run({ name: 'cutStream', inputs }))['x'] as Tensor;
}

const picked = (
  { setting, span, differences }: Given,
  chunk: readonly Asked[],
  arena: Arena,
): Record<string, Tensor> => ({
  differences,
  positions: span.positions,
  sender: ints(
    setting,
    arena,
    chunk.map(({ sender }) => sender),
  ),
  weight: floats(setting, arena, {
    values: weightsOf({ setting, span }, chunk),
    shape: [chunk.length, setting.batch.examples.length, span.count, 1],
  }),
});

/** How much of its sender's change each question's reader reads, [questions, examples, pos]. */
function weightsOf({ setting, span }: Pick<Given, 'setting' | 'span'>, chunk: readonly Asked[]): Float32Array {
  const examples = setting.batch.examples.length;
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
  const { setting, span } = given;
  const { engine, base } = setting;
  const { layer } = (chunk[0] as Asked).reader;
  const { nHeads } = engine.model.config;
  const roles = ['q', 'k', 'v'];
  const isRole = (role: string): Tensor =>
    floats(setting, arena, {
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
      setting,
      arena,
      chunk.map(({ reader }) => reader.head),
    ),
    role: ints(
      setting,
      arena,
      chunk.map(({ reader }) => roles.indexOf(reader.kind) * nHeads + reader.head),
    ),
    'is.q': isRole('q'),
    'is.k': isRole('k'),
    'is.v': isRole('v'),
    ...span.mask,
    ...span.rotary,
    ...(prefix ? { 'prefix.positions': prefix } : {}),
  };
  const { mid } = await engine.run({ name: 'cutHead', layer, variant: { prefix: span.prefix }, inputs });
  return afterAttention(untouched(given), layer, { mid: mid as Tensor, arena, questions: chunk.length });
};

const FROM_READER: { readonly [Kind in Reader['kind']]: FromReader } = {
  q: throughHead,
  k: throughHead,
  v: throughHead,
  mlp: async (given, chunk, arena) => {
    const { setting, span } = given;
    const { layer } = (chunk[0] as Asked).reader;
    const x = arena.own(
      await cutStream(given, chunk, { base: mlpInputOf(setting.engine, setting.base, layer), arena }),
    );
    const onto = arena.own(
      await spread(setting, span, { stream: at(setting.base.mid, layer), questions: chunk.length, arena }),
    );
    const { m } = await setting.engine.run({ name: 'feedForward', layer, inputs: { x, onto }, wanted: ['m'] });
    const walk = untouched(given);
    const post = await plus(walk, onto, m as Tensor);
    return layer + 1 < setting.engine.model.config.nLayers ? walkUp(walk, layer + 1, post) : post;
  },
  logits: (given, chunk, arena) => cutStream(given, chunk, { base: given.setting.base.final, arena }),
};
