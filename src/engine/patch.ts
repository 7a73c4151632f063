/** Questions about sites: values of chosen sites replaced (activation patching). */
import type { Tensor } from '../runtime/types.js';
import { Arena } from './arena.js';
import { layerBytesPerToken, pieces, planChunks } from './chunks.js';
import type { AttentionSite } from './kernels/forward.js';
import { at, clampStart, floats, postOf, shifted, spread, type Setting } from './setting.js';
import type { Site, SiteKind } from './questions.js';
import { makeSpan, type Span } from './span.js';
import { attentionStep, mlpStep, NOTHING, plus, walkUp, type LayerSwaps, type Walk } from './walk.js';

/** Where in a layer a site lies; a walk starts at the first one that a question changes. */
const STAGE: { readonly [Kind in SiteKind]: number } = {
  'resid-pre': 0,
  q: 1,
  k: 1,
  v: 1,
  pattern: 1,
  z: 2,
  'attention-out': 2,
  'resid-mid': 3,
  'mlp-out': 4,
  'resid-post': 5,
};
const STAGES = 6;

interface Asked {
  /** place among the answers */
  readonly index: number;
  readonly sites: readonly Site[];
  /** layer · STAGES + stage of the first change */
  readonly first: number;
  readonly firstPosition: number;
}

/** The metric [questions][examples] with the sites of each question replaced. */
export async function answerSites(
  setting: Setting,
  questions: readonly (readonly Site[])[],
  unchanged: Float64Array,
): Promise<Float64Array[]> {
  const answers = questions.map(() => unchanged);
  const asked = questions
    .map((sites, index) => describe(setting, sites, index))
    .filter((one): one is Asked => one !== null);
  for (const group of groupsByFirst(asked)) {
    const tokensEach = setting.batch.examples.length * (setting.batch.length - startOf(setting, group));
    const plan = planChunks(setting.engine, {
      of: 'questions',
      total: group.length,
      tokensEach,
      bytesPerToken: layerBytesPerToken(setting.engine),
    });
    for (const chunk of pieces(group, plan.perChunk)) {
      const values = await answerChunk(setting, chunk);
      const examples = setting.batch.examples.length;
      chunk.forEach(({ index }, i) => (answers[index] = values.slice(i * examples, (i + 1) * examples)));
    }
  }
  return answers;
}

/** A post site is the next layer's pre; a question that changes nothing needs no run. */
function describe(setting: Setting, given: readonly Site[], index: number): Asked | null {
  const { nLayers } = setting.engine.model.config;
  const sites = given
    .map((site) =>
      site.kind === 'resid-post' && site.layer + 1 < nLayers
        ? { ...site, kind: 'resid-pre' as const, layer: site.layer + 1 }
        : site,
    )
    .map((site) => withinChange(setting, site))
    .filter((site) => site.positions === undefined || site.positions.length > 0);
  if (sites.length === 0 || setting.alternative.firstChange >= setting.batch.length) return null;
  const first = Math.min(...sites.map(({ layer, kind }) => layer * STAGES + STAGE[kind]));
  return { index, sites, first, firstPosition: Math.min(...sites.map((site) => firstPosition(setting, site))) };
}

/** Positions before the prompts' first difference hold equal values: replacing them changes nothing. */
function withinChange({ alternative, engine }: Setting, site: Site): Site {
  if (site.positions === undefined) return site;
  const { keys, positions } = site;
  if (keys && engine.model.config.attention === 'causal' && Math.min(...keys) > Math.max(...positions))
    return { ...site, positions: [] }; // attention is 0 there in every run
  return { ...site, positions: site.positions.filter((position) => position >= alternative.firstChange) };
}

const firstPosition = ({ alternative }: Setting, { positions }: Site): number =>
  positions === undefined ? alternative.firstChange : Math.min(...positions);

function groupsByFirst(asked: readonly Asked[]): Asked[][] {
  const groups = new Map<number, Asked[]>();
  for (const one of asked) groups.set(one.first, [...(groups.get(one.first) ?? []), one]);
  return [...groups.values()].map((group) => group.sort((a, b) => a.firstPosition - b.firstPosition));
}

const startOf = (setting: Setting, chunk: readonly Asked[]): number =>
  clampStart(setting, Math.min(...chunk.map(({ firstPosition: first }) => first)));

async function answerChunk(setting: Setting, chunk: readonly Asked[]): Promise<Float64Array> {
  const arena = new Arena();
  const span = makeSpan(setting.engine, startOf(setting, chunk), setting.batch.length);
  try {
    const masks = new Masks(setting, span, { chunk, arena });
    const walk: Walk = { setting, span, swaps: (layer) => masks.of(layer) };
    const first = chunk[0]?.first ?? 0;
    const final = await ENTRIES[first % STAGES]?.({
      walk,
      masks,
      layer: Math.floor(first / STAGES),
      arena,
      questions: chunk.length,
    });
    return await setting.judge.value(arena.own(final as Tensor), span);
  } finally {
    span.dispose();
    arena.dispose();
  }
}

interface Entry {
  readonly walk: Walk;
  readonly masks: Masks;
  readonly layer: number;
  readonly arena: Arena;
  readonly questions: number;
}

/** From each stage a walk can start at, with as little recomputed as that stage allows, to the stream after the last layer. */
const ENTRIES: readonly ((entry: Entry) => Promise<Tensor>)[] = [
  async ({ walk, masks, layer }) => {
    const { base, alternative } = walk.setting;
    const x = await shifted(walk.setting, walk.span, {
      base: at(base.pre, layer),
      now: at(base.pre, layer),
      alt: at(alternative.pre, layer),
      swap: masks.stream(layer, 'resid-pre') as Tensor,
    });
    return walkUp(walk, layer, x);
  },
  async ({ walk, layer, arena, questions }) => {
    const pre = await spread(walk.setting, walk.span, { stream: at(walk.setting.base.pre, layer), questions, arena });
    const mid = await attentionStep(walk, layer, pre);
    return upFrom(walk, layer + 1, await mlpStep(walk, layer, { pre, mid }));
  },
  async ({ walk, masks, layer, arena, questions }) => {
    const { engine, base, alternative } = walk.setting;
    const swap = masks.heads(layer, 'z') as Tensor;
    const inputs = {
      base: at(base.mid, layer),
      now: at(base.z, layer),
      alt: at(alternative.z, layer),
      swap,
      positions: walk.span.positions,
    };
    const { x } = await engine.run({ name: 'shiftHeads', layer, inputs });
    return afterAttention(walk, layer, { mid: x as Tensor, arena, questions });
  },
  async ({ walk, masks, layer, arena, questions }) => {
    const { base, alternative } = walk.setting;
    const streams = { base: at(base.mid, layer), now: at(base.mid, layer), alt: at(alternative.mid, layer) };
    const mid = await shifted(walk.setting, walk.span, {
      ...streams,
      swap: masks.stream(layer, 'resid-mid') as Tensor,
    });
    return afterAttention(walk, layer, { mid, arena, questions });
  },
  async ({ walk, masks, layer }) => {
    const { base, alternative } = walk.setting;
    const streams = { base: postOf(base, layer), now: at(base.m, layer), alt: at(alternative.m, layer) };
    return upFrom(
      walk,
      layer + 1,
      await shifted(walk.setting, walk.span, { ...streams, swap: masks.stream(layer, 'mlp-out') as Tensor }),
    );
  },
  async ({ walk, masks, layer }) => {
    const { base, alternative } = walk.setting;
    const streams = { base: base.final, now: base.final, alt: alternative.final };
    return shifted(walk.setting, walk.span, { ...streams, swap: masks.stream(layer, 'resid-post') as Tensor });
  },
];

const upFrom = (walk: Walk, layer: number, x: Tensor): Promise<Tensor> =>
  layer < walk.setting.engine.model.config.nLayers ? enter(walk, layer, x) : Promise.resolve(x);

/** Entering a layer above the first one, its `resid-pre` sites still have to be applied. */
async function enter(walk: Walk, layer: number, x: Tensor): Promise<Tensor> {
  const { pre } = await walk.swaps(layer);
  if (!pre) return walkUp(walk, layer, x);
  const inputs = { now: x, alt: at(walk.setting.alternative.pre, layer), swap: pre, positions: walk.span.positions };
  const result = await walk.setting.engine.run({ name: 'swapStream', inputs });
  x.dispose();
  return walkUp(walk, layer, result['x'] as Tensor);
}

/** The stream after attention changed, its input did not: on from the MLP (which in parallel blocks did not change either). */
export async function afterAttention(
  walk: Walk,
  layer: number,
  from: { mid: Tensor; arena: Arena; questions: number },
): Promise<Tensor> {
  const { setting, span } = walk;
  if (!setting.engine.model.config.parallelBlocks || setting.engine.model.config.dMlp === 0)
    return upFrom(walk, layer + 1, await mlpStep(walk, layer, { pre: null, mid: from.mid }));
  const { mlp } = await walk.swaps(layer);
  const m = at(setting.base.m, layer);
  const said = mlp
    ? await shifted(setting, span, { base: m, now: m, alt: at(setting.alternative.m, layer), swap: mlp })
    : await spread(setting, span, { stream: m, questions: from.questions, arena: from.arena });
  const post = await plus(walk, from.mid, said);
  from.mid.dispose();
  return upFrom(walk, layer + 1, post);
}

/** The masks of a chunk of questions, made once per layer. */
class Masks {
  private readonly layers = new Map<number, Promise<LayerSwaps>>();
  private readonly setting: Setting;
  private readonly span: Span;
  private readonly chunk: readonly Asked[];
  private readonly arena: Arena;

  constructor(setting: Setting, span: Span, of: { chunk: readonly Asked[]; arena: Arena }) {
    this.setting = setting;
    this.span = span;
    this.chunk = of.chunk;
    this.arena = of.arena;
  }

  of(layer: number): Promise<LayerSwaps> {
    const known = this.layers.get(layer) ?? this.make(layer);
    this.layers.set(layer, known);
    return known;
  }

  private async make(layer: number): Promise<LayerSwaps> {
    if (!this.chunk.some(({ sites }) => sites.some((site) => site.layer === layer))) return NOTHING;
    const { alternative } = this.setting;
    const sites = (['q', 'k', 'v', 'pattern', 'z'] as const).filter((kind) => this.asked(layer, kind));
    const inputs: Record<string, Tensor> = {};
    for (const site of sites) {
      inputs[`${site}.swap`] = this.heads(layer, site) as Tensor;
      inputs[`${site}.alt`] = await this.alternativeOf(site, layer, alternative);
    }
    if (sites.length > 0) inputs['positions'] = this.span.positions;
    if (sites.includes('pattern')) inputs['key.positions'] = this.span.keys;
    return {
      attention: { sites, inputs },
      mid: this.stream(layer, 'resid-mid'),
      mlp: this.stream(layer, 'mlp-out'),
      pre: this.stream(layer, 'resid-pre'),
    };
  }

  private async alternativeOf(
    site: AttentionSite,
    layer: number,
    alternative: Setting['alternative'],
  ): Promise<Tensor> {
    if (site === 'pattern') return this.arena.own(await alternative.pattern(layer));
    return site === 'z' ? at(alternative.z, layer) : at(alternative.heads, layer)[site];
  }

  private asked(layer: number, kind: AttentionSite): boolean {
    return this.chunk.some(({ sites }) =>
      sites.some((site) => site.layer === layer && attentionKind(site.kind) === kind),
    );
  }

  /** [questions, 1, pos, 1], or null when no question asks. */
  stream(layer: number, kind: SiteKind): Tensor | null {
    const values = this.fill(1, (site) => (site.layer === layer && site.kind === kind ? [0] : []));
    return values && floats(this.setting, this.arena, { values, shape: [this.chunk.length, 1, this.span.count, 1] });
  }

  /** [questions, 1, heads, pos, 1] (keys last where a pattern's entries are told apart), or null when no question asks. */
  heads(layer: number, kind: AttentionSite): Tensor | null {
    const { nHeads } = this.setting.engine.model.config;
    const all = Array.from({ length: nHeads }, (_, head) => head);
    const isOf = (site: Site): boolean => site.layer === layer && attentionKind(site.kind) === kind;
    const entries =
      kind === 'pattern' && this.chunk.some(({ sites }) => sites.some((site) => isOf(site) && site.keys !== undefined));
    const width = entries ? this.span.length : 1;
    const values = this.fill(nHeads, (site) => (isOf(site) ? headsOf(site, all) : []), width);
    const shape = [this.chunk.length, 1, nHeads, this.span.count, width];
    return values && floats(this.setting, this.arena, { values, shape });
  }

  /** @param width keys told apart: all or, as one, 1 */
  private fill(rows: number, rowsOf: (site: Site) => readonly number[], width = 1): Float32Array | null {
    const { count, start, length } = this.span;
    const values = new Float32Array(this.chunk.length * rows * count * width);
    let any = false;
    this.chunk.forEach(({ sites }, question) => {
      for (const site of sites)
        for (const row of rowsOf(site)) {
          any = true;
          const keys = width === 1 ? [0] : (site.keys ?? range(0, width));
          const positions = (site.positions ?? range(start, length)).filter((position) => position >= start);
          const places = positions.map((position) => ((question * rows + row) * count + position - start) * width);
          for (const place of places) for (const key of keys) values[place + key] = site.amount ?? 1;
        }
    });
    return any ? values : null;
  }
}

/** Replacing all of attention's output is replacing every head's z: both are what z W_O adds. */
const attentionKind = (kind: SiteKind): SiteKind => (kind === 'attention-out' ? 'z' : kind);
const headsOf = (site: Site, all: readonly number[]): readonly number[] =>
  site.kind === 'attention-out' ? all : (site.heads ?? all);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
