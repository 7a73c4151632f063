/**
 * The model written out the slow and obvious way, in float64 and without the engine: every reader's input is formed explicitly,
 * as a sum over what every sender upstream of it says to this reader.
 */
import type { Universe } from '../../src/circuit/types.js';
import type { Model, ModelConfig } from '../../src/model/types.js';

type Row = number[]; // [d]
type Rows = Row[]; // [pos][d]

/** What one head would be given instead, or null: site, layer, head, position, what it holds now. */
export type Edit = (
  site: 'q' | 'k' | 'v' | 'pattern' | 'z' | 'neurons' | 'm',
  at: { layer: number; head: number },
) => EditRow | null;
type EditRow = (position: number, now: Row) => Row;

export interface Intervention {
  /** [edge] how much of the sender the reader reads: 1 what it says now, 0 its alternative; default all 1 */
  readonly keep?: ArrayLike<number>;
  /** what senders say where they are cut, by name */
  readonly alternative?: ReadonlyMap<string, Rows>;
  readonly edit?: Edit;
}

export interface NaiveRun {
  /** what every sender says, by name */
  readonly outputs: ReadonlyMap<string, Rows>;
  /** q (rotated), k (rotated), v, pattern, z, neurons, m by `site layer head` */
  readonly sites: ReadonlyMap<string, Rows>;
  /** [pos][vocabulary] */
  readonly logits: Rows;
}

export class Oracle {
  private constructor(
    private readonly config: ModelConfig,
    private readonly universe: Universe,
    private readonly weights: ReadonlyMap<string, Float32Array>,
  ) {}

  static async of({ config, weights }: Model, universe: Universe): Promise<Oracle> {
    const read = [...weights.shapes.keys()].map(async (name) => [name, await weights.read(name)] as const);
    return new Oracle(config, universe, new Map(await Promise.all(read)));
  }

  run(ids: readonly number[], { keep, alternative, edit }: Intervention = {}): NaiveRun {
    const { config, universe } = this;
    const { nLayers, nHeads, dModel, dMlp, parallelBlocks } = config;
    const outputs = new Map<string, Rows>([
      ['input', ids.map((id) => this.row('embed.W_E', id, dModel).map((x) => x * (config.embeddingScale ?? 1)))],
    ]);
    const sites = new Map<string, Rows>();
    const note = (site: Parameters<Edit>[0], at: { layer: number; head: number }, now: Rows): Rows => {
      const by = edit?.(site, at);
      const rows = by ? now.map((row, position) => by(position, row)) : now;
      sites.set(`${site} ${at.layer} ${at.head}`, rows);
      return rows;
    };
    // learned positions and attention output biases are in no sender
    let constant = ids.map((_, i) =>
      config.positional === 'learned' ? this.row('pos_embed.W_pos', i, dModel) : zeros(dModel),
    );
    const read = (reader: string): Rows => {
      const index = universe.readerIndex(reader)!;
      return constant.map((start, position) => {
        let sum = [...start];
        const mixtures = new Map<number, Row>(); // where a norm follows attention: per layer, this reader's sum of its heads
        for (let sender = 0; sender < universe.readers[index]!.senderCount; sender++) {
          const { name, kind, layer } = universe.senders[sender]!;
          const normed = kind === 'head' && config.normPlaces?.after === true;
          if (normed && !mixtures.has(layer)) mixtures.set(layer, this.bias(`blocks.${layer}.attn.b_O`, 0, dModel));
          const to = normed ? mixtures.get(layer)! : sum;
          const amount = keep?.[universe.edgeBetween(sender, index)] ?? 1;
          const now = outputs.get(name)![position]!;
          const other = alternative?.get(name)?.[position] ?? now;
          for (let j = 0; j < dModel; j++) to[j]! += amount * now[j]! + (1 - amount) * other[j]!;
        }
        for (const [layer, mixture] of mixtures) sum = plus(sum, this.norm(mixture, `blocks.${layer}.ln1_post`));
        return sum;
      });
    };
    for (let layer = 0; layer < nLayers; layer++) {
      const inputs = Array.from({ length: nHeads }, (_, h) =>
        (['q', 'k', 'v'] as const).map((role) => read(`a${layer}.h${h}<${role}>`)),
      );
      const mlpInput = dMlp > 0 && parallelBlocks ? read(`m${layer}`) : null;
      for (let head = 0; head < nHeads; head++) {
        const at = { layer, head };
        const [q, k, v] = (['Q', 'K', 'V'] as const).map((role, i) => {
          const site = role.toLowerCase() as 'q' | 'k' | 'v';
          return note(site, at, this.project(inputs[head]![i]!, { layer, head, role }));
        }) as [Rows, Rows, Rows];
        const pattern = note('pattern', at, this.pattern(q, k, layer));
        const z = note(
          'z',
          at,
          pattern.map((row) => weightedSum(row, v)),
        );
        outputs.set(
          `a${layer}.h${head}`,
          z.map((row) => this.times(row, `blocks.${layer}.attn.W_O`, { slice: head, width: dModel })),
        );
      }
      const bias = this.bias(`blocks.${layer}.attn.b_O`, 0, dModel);
      if (!config.normPlaces?.after) constant = constant.map((row) => plus(row, bias));
      if (dMlp > 0) {
        const at = { layer, head: -1 };
        const neurons = note('neurons', at, this.neurons(mlpInput ?? read(`m${layer}`), layer));
        outputs.set(`m${layer}`, note('m', at, this.mlpOutput(neurons, layer)));
      }
    }
    return { outputs, sites, logits: this.unembed(read('logits')) };
  }

  private unembed(x: Rows): Rows {
    const { dVocabOut } = this.config;
    const bias = this.bias('unembed.b_U', 0, dVocabOut);
    return x.map((row) =>
      plus(this.times(this.norm(row, 'ln_final'), 'unembed.W_U', { width: dVocabOut }), bias).map((logit) =>
        capped(logit, this.config.logitCap),
      ),
    );
  }

  private project(x: Rows, { layer, head, role }: { layer: number; head: number; role: 'Q' | 'K' | 'V' }): Rows {
    const { nHeads, nKeyValueHeads, dHead } = this.config;
    const own = role === 'Q' ? head : Math.floor((head * nKeyValueHeads) / nHeads);
    const bias = this.bias(`blocks.${layer}.attn.b_${role}`, own * dHead, dHead);
    return x.map((row, position) => {
      const normed = this.norm(row, `blocks.${layer}.ln1`);
      const values = plus(this.times(normed, `blocks.${layer}.attn.W_${role}`, { slice: own, width: dHead }), bias);
      return role === 'V' ? values : this.rotate(values, position);
    });
  }

  private rotate(x: Row, position: number): Row {
    const { rotary } = this.config;
    if (!rotary) return x;
    const turned = [...x];
    const half = rotary.dims / 2;
    for (let i = 0; i < half; i++) {
      const [a, b] = rotary.adjacentPairs ? [2 * i, 2 * i + 1] : [i, i + half];
      const angle = position / rotary.base ** (i / half);
      turned[a] = x[a]! * Math.cos(angle) - x[b]! * Math.sin(angle);
      turned[b] = x[b]! * Math.cos(angle) + x[a]! * Math.sin(angle);
    }
    return turned;
  }

  private pattern(q: Rows, k: Rows, layer: number): Rows {
    const { attention, attnScale, scoreCap, windows } = this.config;
    const seen = (query: number, key: number): boolean =>
      attention !== 'causal' || (key <= query && query - key < (windows?.[layer] ?? Infinity));
    return q.map((query, i) => {
      const score = (key: Row): number => capped(dot(query, key) / attnScale, scoreCap);
      const weights = k.map((key, j) => (seen(i, j) ? Math.exp(score(key)) : 0));
      const total = weights.reduce((sum, x) => sum + x, 0);
      return weights.map((x) => x / total);
    });
  }

  private neurons(x: Rows, layer: number): Rows {
    const { dMlp, gatedMlp, activation } = this.config;
    const name = (weight: string): string => `blocks.${layer}.mlp.${weight}`;
    const act = ACTIVATIONS[activation]!;
    return x.map((row) => {
      const normed = this.norm(row, `blocks.${layer}.ln2`);
      const hidden = plus(this.times(normed, name('W_in'), { width: dMlp }), this.bias(name('b_in'), 0, dMlp));
      const gate = gatedMlp ? this.times(normed, name('W_gate'), { width: dMlp }) : null;
      return gate ? hidden.map((h, i) => h * act(gate[i]!)) : hidden.map(act);
    });
  }

  private mlpOutput(neurons: Rows, layer: number): Rows {
    const { dModel } = this.config;
    const bias = this.bias(`blocks.${layer}.mlp.b_out`, 0, dModel);
    const written = neurons.map((row) => plus(this.times(row, `blocks.${layer}.mlp.W_out`, { width: dModel }), bias));
    return this.config.normPlaces?.after ? written.map((row) => this.norm(row, `blocks.${layer}.ln2_post`)) : written;
  }

  private norm(x: Row, name: string): Row {
    const { norm, normEps, normOffset = 0 } = this.config;
    if (!norm) return x;
    const mean = norm === 'LN' ? x.reduce((sum, y) => sum + y, 0) / x.length : 0;
    const centred = x.map((y) => y - mean);
    const deviation = Math.sqrt(dot(centred, centred) / x.length + normEps);
    const [weight, bias] = [this.weights.get(`${name}.w`), this.weights.get(`${name}.b`)];
    return centred.map((y, i) => (y / deviation) * (weight ? normOffset + weight[i]! : 1) + (bias?.[i] ?? 0));
  }

  /** x [n] · the n rows of a matrix (of a stack of them) [n, width]. */
  private times(x: Row, name: string, { slice = 0, width }: { slice?: number; width: number }): Row {
    const matrix = this.weights.get(name)!;
    const from = slice * x.length * width;
    return Array.from({ length: width }, (_, j) => x.reduce((sum, y, i) => sum + y * matrix[from + i * width + j]!, 0));
  }

  private readonly row = (name: string, index: number, width: number): Row => [
    ...this.weights.get(name)!.subarray(index * width, (index + 1) * width),
  ];
  private readonly bias = (name: string, from: number, width: number): Row =>
    this.weights.has(name) ? [...this.weights.get(name)!.subarray(from, from + width)] : zeros(width);
}

const ACTIVATIONS: Readonly<Partial<Record<string, (x: number) => number>>> = {
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  gelu_new: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/** 2/√π · e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!, terms of one sign (Abramowitz & Stegun 7.1.6). */
const erf = (x: number): number => {
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
};

const capped = (x: number, cap: number | undefined): number => (cap === undefined ? x : cap * Math.tanh(x / cap));

const zeros = (n: number): Row => Array<number>(n).fill(0);
const dot = (a: Row, b: Row): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const plus = (a: Row, b: Row): Row => a.map((x, i) => x + b[i]!);
const weightedSum = (weights: Row, rows: Rows): Row =>
  rows[0]!.map((_, j) => weights.reduce((sum, w, i) => sum + w * rows[i]![j]!, 0));
