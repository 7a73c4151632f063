/** Questions about sites: values of chosen sites replaced (activation patching). */
import { refuse } from '../../errors.js';
import type { Tensor } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import { layerBytesPerToken, pieces, planChunks } from '../core/chunks.js';
import { ENTRIES, STAGE, STAGES } from './start-stages.js';
import { Masks } from './masks.js';
import { NeuronPairs } from '../model-run/neurons.js';
import type { Site } from './questions.js';
import { clampStart, type BoundRun } from '../model-run/bound-run.js';
import { makeSpan } from '../core/span.js';
import type { Walk } from '../model-run/walk.js';

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
  bound: BoundRun,
  questions: readonly (readonly Site[])[],
  unchanged: Float64Array,
): Promise<Float64Array[]> {
  const answers = questions.map(() => unchanged);
  const asked = questions
    .map((sites, index) => describe(bound, sites, index))
    .filter((one): one is Asked => one !== null);
  for (const group of groupsByFirst(asked)) await answerGroup(bound, group, answers);
  return answers;
}

/** Questions that start at one place share what is recomputed of the layer there. */
async function answerGroup(bound: BoundRun, group: readonly Asked[], answers: Float64Array[]): Promise<void> {
  const arena = new Arena();
  const neurons = new NeuronPairs(bound, arena);
  try {
    const tokensEach = bound.batch.examples.length * (bound.batch.length - startOf(bound, group));
    const plan = planChunks(bound.engine, {
      of: 'questions',
      total: group.length,
      tokensEach,
      bytesPerToken: layerBytesPerToken(bound.engine),
    });
    for (const chunk of pieces(group, plan.perChunk)) {
      const values = await answerChunk(bound, chunk, neurons);
      const examples = bound.batch.examples.length;
      chunk.forEach(({ index }, i) => (answers[index] = values.slice(i * examples, (i + 1) * examples)));
    }
  } finally {
    arena.dispose();
  }
}

/** A post site is the next layer's pre; a question that changes nothing needs no run. */
function describe(bound: BoundRun, given: readonly Site[], index: number): Asked | null {
  const { nLayers } = bound.engine.model.config;
  if (bound.alternative.hasPatterns === false && given.some(({ kind }) => kind === 'pattern'))
    refuse(
      'discovery/source',
      'noise and learned constants say nothing of attention patterns; replace other sites, or take the source zero, a mean or the other prompt',
    );
  const sites = given
    .map((site) =>
      site.kind === 'resid-post' && site.layer + 1 < nLayers
        ? { ...site, kind: 'resid-pre' as const, layer: site.layer + 1 }
        : site,
    )
    .map((site) => withinChange(bound, site))
    .filter((site) => site.positions?.length !== 0 && site.neurons?.length !== 0);
  if (sites.length === 0 || bound.alternative.firstChange >= bound.batch.length) return null;
  const first = Math.min(...sites.map(({ layer, kind }) => layer * STAGES + STAGE[kind]));
  return { index, sites, first, firstPosition: Math.min(...sites.map((site) => firstPosition(bound, site))) };
}

/** Positions before the prompts' first difference hold equal values: replacing them changes nothing. */
function withinChange({ alternative, engine }: BoundRun, site: Site): Site {
  if (site.positions === undefined) return site;
  const { keys, positions } = site;
  if (keys && engine.model.config.attention === 'causal' && Math.min(...keys) > Math.max(...positions))
    return { ...site, positions: [] }; // attention is 0 there in every run
  return { ...site, positions: site.positions.filter((position) => position >= alternative.firstChange) };
}

const firstPosition = ({ alternative }: BoundRun, { positions }: Site): number =>
  positions === undefined ? alternative.firstChange : Math.min(...positions);

function groupsByFirst(asked: readonly Asked[]): Asked[][] {
  const groups = new Map<number, Asked[]>();
  for (const one of asked) groups.set(one.first, [...(groups.get(one.first) ?? []), one]);
  return [...groups.values()].map((group) => group.sort((a, b) => a.firstPosition - b.firstPosition));
}

const startOf = (bound: BoundRun, chunk: readonly Asked[]): number =>
  clampStart(bound, Math.min(...chunk.map(({ firstPosition: first }) => first)));

async function answerChunk(bound: BoundRun, chunk: readonly Asked[], neurons: NeuronPairs): Promise<Float64Array> {
  const arena = new Arena();
  const span = makeSpan(bound.engine, startOf(bound, chunk), bound.batch.length);
  try {
    const masks = new Masks(bound, span, { chunk, arena, neurons });
    const walk: Walk = { bound, span, swaps: (layer) => masks.of(layer) };
    const first = chunk[0]?.first ?? 0;
    const final = await ENTRIES[first % STAGES]?.({
      ...{ walk, masks, arena, neurons },
      layer: Math.floor(first / STAGES),
      questions: chunk.length,
    });
    return await bound.judge.value(arena.own(final as Tensor), span);
  } finally {
    span.dispose();
    arena.dispose();
  }
}
