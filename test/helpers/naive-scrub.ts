/** Scrubbed runs the slow way, and random hypotheses to try them on. */
import type { Universe } from '../../src/circuit/types.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import type { Read, Said } from '../../src/engine/questions/scrub.js';
import { layOut, type Hypothesis } from '../../src/interventions/scrubbing/hypothesis.js';
import { parseHypothesis, type FeatureSource, type HypothesisFile } from '../../src/interventions/scrubbing/schema.js';
import type { Model } from '../../src/model/types.js';
import type { Example } from '../../src/task/types.js';
import type { NaiveRun, Oracle } from '../engine/oracle.js';
import { contrast } from './engine.js';
import { uniform } from './op-cases.js';

export type Nodes = HypothesisFile['nodes'];
export const hypothesisOf = (nodes: Nodes, universe: Universe): Hypothesis =>
  layOut(parseHypothesis({ name: 'mine', nodes }, 'mine.json'), universe);

export const universeOf = ({ config }: Model): Universe => {
  const { nLayers, nHeads, dMlp, parallelBlocks } = config;
  return makeUniverse({ nLayers, nHeads, hasMlp: dMlp > 0, parallelBlocks });
};

export const example = (index: number, clean: readonly number[], correct: number, incorrect: number): Example => ({
  ...{ index, clean, corrupt: clean, spans: {}, group: index % 2 === 0 ? 'even' : 'odd' },
  answers: [contrast(clean.length - 1, correct, incorrect)],
});

/** Few different tokens, so that prompts agree in some of them. */
export const prompts = (count: number, seed: number, length = 4): Example[] => {
  const random = uniform(seed);
  const token = (): number => Math.floor(random() * 3);
  return Array.from({ length: count }, (_, i) => example(i, Array.from({ length }, token), i % 5, (i + 1) % 5));
};

/** What a run put together of several prompts says, prompt by prompt and reader by reader, with the model run anew each time. */
export class NaiveScrub {
  constructor(
    private readonly oracle: Oracle,
    private readonly universe: Universe,
    private readonly examples: readonly Example[],
  ) {}

  /** The run on a data point in which one reader reads what it is given. */
  reads(reader: string, { rows, given }: Read, e: number): NaiveRun {
    const base = this.oracle.run(this.examples[rows[e]!]!.clean);
    const keep = new Float64Array(this.universe.edgeCount).fill(1);
    const alternative = new Map(base.outputs);
    for (const { sender, positions, said } of given) {
      const { name } = this.universe.senders[sender]!;
      keep[this.universe.edgeIndex(`${name}->${reader}`)!] = 0;
      const now = this.says(name, said, e);
      const old = alternative.get(name)!;
      alternative.set(
        name,
        old.map((row, position) => (positions === null || positions.includes(position) ? now[position]! : row)),
      );
    }
    return this.oracle.run(this.examples[rows[e]!]!.clean, { keep, alternative });
  }

  private says(name: string, said: Said, e: number): number[][] {
    if ('rows' in said) return this.oracle.run(this.examples[said.rows[e]!]!.clean).outputs.get(name)!;
    if (said.reads.length === 1) return this.reads(name, said.reads[0]!, e).outputs.get(name)!;
    const [, layer, head] = /a(\d+)\.h(\d+)/.exec(name)!.map(Number);
    const sites = (['q', 'k', 'v'] as const).map((role, i) =>
      this.reads(`${name}<${role}>`, said.reads[i]!, e).sites.get(`${role} ${layer} ${head}`)!,
    );
    const held = { q: sites[0]!, k: sites[1]!, v: sites[2]! };
    const any = this.examples[e]!.clean;
    const run = this.oracle.run(any, {
      edit: (site, at) =>
        at.layer === layer && at.head === head && site in held
          ? (position) => held[site as keyof typeof held][position]!
          : null,
    });
    return run.outputs.get(name)!;
  }
}

/** Random nodes above one another: heads and MLPs of random layers, read in part, with features of every kind. */
export function randomHypothesis({ shape, senders }: Universe, length: number, seed: number): Nodes {
  const random = uniform(seed);
  const whole = (n: number): number => Math.floor(random() * n);
  const feature = (): FeatureSource[] | undefined =>
    [
      undefined,
      [],
      ['prompt' as const],
      [{ tokens: `${whole(length)}` }],
      [{ label: 'group' as const }],
      [{ equal: ['0', '1'] as [string, string] }, { tokens: 'end' }],
    ][whole(6)];
  const nodes: Nodes = {};
  const add = (node: Nodes[string]): string => {
    const name = `n${Object.keys(nodes).length}`;
    nodes[name] = node;
    return name;
  };
  const childrenOf = (count: number, depth: number): string[] => {
    const chosen = new Set(Array.from({ length: 1 + whole(2) }, () => whole(count)));
    return [...chosen].map((sender) => grow(sender, depth));
  };
  const before = (layer: number): number => 1 + layer * (shape.nHeads + (shape.hasMlp ? 1 : 0));
  const own = (): Partial<Nodes[string]> => {
    const one = feature();
    return one === undefined ? {} : { feature: one };
  };
  const grow = (sender: number, depth: number): string => {
    const { name, kind, layer } = senders[sender]!;
    const at = random() < 0.4 ? `${name}@${whole(length)}` : name;
    if (kind === 'input' || depth === 0) return add({ at, ...own() });
    if (kind === 'mlp')
      return add({ at, ...own(), reads: childrenOf(before(layer) + (shape.parallelBlocks ? 0 : shape.nHeads), depth - 1) }); // prettier-ignore
    const reader = (role: string): string[] => {
      const children = childrenOf(before(layer), depth - 1);
      return random() < 0.3 ? [add({ at: `${name}<${role}>`, ...own(), reads: children })] : children;
    };
    const reads = Object.fromEntries(['q', 'k', 'v'].filter(() => random() < 0.7).map((role) => [role, reader(role)]));
    return add({ at, ...own(), reads });
  };
  const reads = childrenOf(senders.length, 3);
  add({ at: 'logits', reads });
  return nodes;
}
