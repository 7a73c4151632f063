/** Which sites a chunk of questions about sites replaces, as masks over questions, heads or neurons, and positions. */
import type { Tensor } from '../../runtime/types.js';
import type { Arena } from '../core/arena.js';
import type { AttentionSite } from '../kernels/forward.js';
import type { NeuronPairs } from '../model-run/neurons.js';
import type { Site, SiteKind } from './questions.js';
import { at, floats, ints, type BoundRun } from '../model-run/bound-run.js';
import type { Span } from '../core/span.js';
import { NOTHING, type LayerSwaps } from '../model-run/walk.js';

interface ChunkOf {
  /** [question][site] */
  readonly chunk: readonly { readonly sites: readonly Site[] }[];
  /** owns the masks */
  readonly arena: Arena;
  readonly neurons: NeuronPairs;
}

/** The masks of a chunk of questions, made once per layer. */
export class Masks {
  private readonly layers = new Map<number, Promise<LayerSwaps>>();

  constructor(
    private readonly bound: BoundRun,
    private readonly span: Span,
    private readonly asked: ChunkOf,
  ) {}

  of(layer: number): Promise<LayerSwaps> {
    const known = this.layers.get(layer) ?? this.make(layer);
    this.layers.set(layer, known);
    return known;
  }

  private async make(layer: number): Promise<LayerSwaps> {
    if (!this.asked.chunk.some(({ sites }) => sites.some((site) => site.layer === layer))) return NOTHING;
    const sites = (['q', 'k', 'v', 'pattern', 'z'] as const).filter((kind) => this.isAsked(layer, kind));
    const inputs: Record<string, Tensor> = {};
    for (const site of sites) {
      inputs[`${site}.swap`] = this.heads(layer, site) as Tensor;
      inputs[`${site}.alt`] = await this.alternativeOf(site, layer);
    }
    if (sites.length > 0) inputs['positions'] = this.span.positions;
    if (sites.includes('pattern')) inputs['key.positions'] = this.span.keys;
    const swap = this.neurons(layer);
    return {
      attention: { sites, inputs },
      mid: this.stream(layer, 'resid-mid'),
      neurons: swap && { swap, ...(await this.asked.neurons.of(layer)) },
      mlp: this.stream(layer, 'mlp-out'),
      pre: this.stream(layer, 'resid-pre'),
    };
  }

  private async alternativeOf(site: AttentionSite, layer: number): Promise<Tensor> {
    const { alternative } = this.bound;
    if (site === 'pattern') return this.asked.arena.own(await alternative.pattern(layer));
    return site === 'z' ? at(alternative.z, layer) : at(alternative.heads, layer)[site];
  }

  private isAsked(layer: number, kind: AttentionSite): boolean {
    return this.asked.chunk.some(({ sites }) =>
      sites.some((site) => site.layer === layer && attentionKind(site.kind) === kind),
    );
  }

  /** [questions, 1, pos, 1], or null when no question asks. */
  stream(layer: number, kind: SiteKind): Tensor | null {
    const values = this.fill({ rowsOf: (site) => (site.layer === layer && site.kind === kind ? [0] : []) });
    return values && this.mask(values, [this.span.count, 1]);
  }

  /** [questions, 1, pos, dMlp], or null when no question asks. */
  neurons(layer: number): Tensor | null {
    const { dMlp } = this.bound.engine.model.config;
    const columnsOf = ({ neurons = range(0, dMlp) }: Site): readonly number[] => neurons;
    const rowsOf = (site: Site): number[] => (isNeurons(site, layer) ? [0] : []);
    const values = this.fill({ rowsOf, width: dMlp, columnsOf });
    return values && this.mask(values, [this.span.count, dMlp]);
  }

  /** Where every question is about one neuron of the layer: which [questions], and a mask [questions, 1, pos, 1]; else null. */
  singleNeurons(layer: number): { neuron: Tensor; swap: Tensor } | null {
    const chosen = this.asked.chunk.map(({ sites }) => sites.filter((site) => isNeurons(site, layer)));
    const single = chosen.flatMap(([site, ...others]) =>
      site?.neurons?.length === 1 && others.length === 0 ? site.neurons : [],
    );
    if (single.length < chosen.length) return null;
    const values = this.fill({ rowsOf: (site) => (isNeurons(site, layer) ? [0] : []) }) as Float32Array;
    const { arena } = this.asked;
    return { neuron: ints(this.bound, arena, single), swap: this.mask(values, [this.span.count, 1]) };
  }

  /** [questions, 1, heads, pos, 1] (keys last where a pattern's entries are told apart), or null when no question asks. */
  heads(layer: number, kind: AttentionSite): Tensor | null {
    const { nHeads } = this.bound.engine.model.config;
    const all = range(0, nHeads);
    const isOf = (site: Site): boolean => site.layer === layer && attentionKind(site.kind) === kind;
    const entries =
      kind === 'pattern' &&
      this.asked.chunk.some(({ sites }) => sites.some((site) => isOf(site) && site.keys !== undefined));
    const width = entries ? this.span.length : 1;
    const values = this.fill({
      rows: nHeads,
      rowsOf: (site) => (isOf(site) ? headsOf(site, all) : []),
      ...(entries && { width, columnsOf: ({ keys = range(0, width) }: Site) => keys }),
    });
    return values && this.mask(values, [nHeads, this.span.count, width]);
  }

  private mask(values: Float32Array, shape: readonly number[]): Tensor {
    return floats(this.bound, this.asked.arena, { values, shape: [this.asked.chunk.length, 1, ...shape] });
  }

  /** [questions, rows, pos, width]; null where no site has rows. */
  private fill({ rows = 1, rowsOf, width = 1, columnsOf = () => [0] }: Filling): Float32Array | null {
    const { count, start, length } = this.span;
    const values = new Float32Array(this.asked.chunk.length * rows * count * width);
    let any = false;
    this.asked.chunk.forEach(({ sites }, question) => {
      for (const site of sites)
        for (const row of rowsOf(site)) {
          any = true;
          const columns = columnsOf(site);
          const positions = (site.positions ?? range(start, length)).filter((position) => position >= start);
          const places = positions.map((position) => ((question * rows + row) * count + position - start) * width);
          for (const place of places) for (const column of columns) values[place + column] = site.amount ?? 1;
        }
    });
    return any ? values : null;
  }
}

interface Filling {
  readonly rows?: number;
  readonly rowsOf: (site: Site) => readonly number[];
  readonly width?: number;
  readonly columnsOf?: (site: Site) => readonly number[];
}

/** Replacing all of attention's output is replacing every head's z: both are what z W_O adds. */
const attentionKind = (kind: SiteKind): SiteKind => (kind === 'attention-out' ? 'z' : kind);
const headsOf = (site: Site, all: readonly number[]): readonly number[] =>
  site.kind === 'attention-out' ? all : (site.heads ?? all);
const isNeurons = (site: Site, layer: number): boolean => site.kind === 'neurons' && site.layer === layer;
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
